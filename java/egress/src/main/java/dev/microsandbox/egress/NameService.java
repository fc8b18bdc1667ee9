package dev.microsandbox.egress;

import dev.microsandbox.agent.OutboundHandler.DnsReply;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.ArrayDeque;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Header;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/// Answers one sandbox's resolvers: A and AAAA by the host's own means and the operator's map,
/// other types empty. At most 16 look-ups run and 256 wait.
final class NameService {
  private static final int TTL = 15;
  private static final int MAX_RUNNING = 16;
  private static final int MAX_WAITING = 256;
  private static final int MAX_ADDRESSES = 16;
  private static final int HEADER = 12;
  private static final int UDP_PLAIN = 512;
  private static final int UDP_LARGEST = 1_232;
  private static final int TCP_LARGEST = 65_000;
  private static final byte[] NOTHING = new byte[0];

  private final HostResolver resolver;
  private final NameMap map;
  private final NameTable table;
  private final BooleanSupplier allowed;

  // Guarded by this.
  private final ArrayDeque<Query> waiting = new ArrayDeque<>();
  private int running;

  NameService(HostResolver resolver, NameMap map, NameTable table, BooleanSupplier allowed) {
    this.resolver = resolver;
    this.map = map;
    this.table = table;
    this.allowed = allowed;
  }

  private record Query(Message message, Record question, String name, int limit, DnsReply reply) {
    void answer(int rcode, List<InetAddress> addresses) {
      reply.answer(wire(response(message, rcode, question, addresses), limit));
    }
  }

  /// Answers a message, now or later, and always.
  void answer(byte[] bytes, boolean tcp, DnsReply reply) {
    Message message;
    try {
      message = new Message(bytes);
    } catch (IOException | RuntimeException _) {
      reply.answer(formatError(bytes));
      return;
    }
    if (message.getHeader().getFlag(Flags.QR)) {
      reply.answer(NOTHING); // an answer to nothing
      return;
    }
    int limit = limit(message, tcp);
    Record question = message.getQuestion();
    int refusal = refusal(message, question);
    if (question == null || refusal != Rcode.NOERROR) {
      reply.answer(wire(response(message, refusal, question, List.of()), limit));
      return;
    }
    String name = Names.normal(question.getName().toString(true));
    ask(new Query(message, question, name, limit, reply));
  }

  private int refusal(Message message, @org.jspecify.annotations.Nullable Record question) {
    if (message.getHeader().getOpcode() != Opcode.QUERY) {
      return Rcode.NOTIMP;
    }
    if (question == null || message.getSection(Section.QUESTION).size() != 1) {
      return Rcode.FORMERR;
    }
    return allowed.getAsBoolean() && question.getDClass() == DClass.IN
        ? Rcode.NOERROR
        : Rcode.REFUSED;
  }

  private void ask(Query query) {
    InetAddress mapped = map.addressOf(query.name).orElse(null);
    int type = query.question.getType();
    if (mapped != null) {
      query.answer(Rcode.NOERROR, type == Type.A ? List.of(mapped) : List.of());
    } else if (type != Type.A && type != Type.AAAA) {
      query.answer(Rcode.NOERROR, List.of());
    } else if (!Names.isResolvable(query.name)) {
      query.answer(Rcode.NXDOMAIN, List.of());
    } else if (admit(query)) {
      resolver.resolve(query.name, answer -> answered(query, answer));
    }
  }

  /// Whether the query's look-up may begin now; else it waits for its turn, or is failed.
  private boolean admit(Query query) {
    synchronized (this) {
      if (running < MAX_RUNNING) {
        running++;
        return true;
      }
      if (waiting.size() < MAX_WAITING) {
        waiting.add(query);
        return false;
      }
    }
    query.answer(Rcode.SERVFAIL, List.of());
    return false;
  }

  private void answered(Query query, HostResolver.Answer answer) {
    Query next;
    synchronized (this) {
      next = waiting.poll();
      running -= next == null ? 1 : 0;
    }
    switch (answer) {
      case HostResolver.Answer.Found found -> query.answer(Rcode.NOERROR, noted(query, found));
      case HostResolver.Answer.NoSuchName() -> query.answer(Rcode.NXDOMAIN, List.of());
      case HostResolver.Answer.NoAddress() -> query.answer(Rcode.NOERROR, List.of());
      case HostResolver.Answer.Failed() -> query.answer(Rcode.SERVFAIL, List.of());
    }
    if (next != null) {
      resolver.resolve(next.name, its -> answered(next, its));
    }
  }

  private List<InetAddress> noted(Query query, HostResolver.Answer.Found found) {
    Class<?> family = query.question.getType() == Type.A ? Inet4Address.class : Inet6Address.class;
    List<InetAddress> addresses =
        found.addresses().stream().filter(family::isInstance).limit(MAX_ADDRESSES).toList();
    addresses.forEach(address -> table.add(address, query.name));
    return addresses;
  }

  // ---- messages

  private static Message response(
      Message query,
      int rcode,
      @org.jspecify.annotations.Nullable Record question,
      List<InetAddress> addresses) {
    Message response = new Message(query.getHeader().getID());
    Header header = response.getHeader();
    header.setFlag(Flags.QR);
    header.setFlag(Flags.RA);
    header.setOpcode(query.getHeader().getOpcode());
    if (query.getHeader().getFlag(Flags.RD)) {
      header.setFlag(Flags.RD);
    }
    header.setRcode(rcode);
    if (question != null) {
      response.addRecord(question, Section.QUESTION);
      addresses.forEach(
          address -> response.addRecord(record(question.getName(), address), Section.ANSWER));
    }
    if (query.getOPT() != null) {
      response.addRecord(new OPTRecord(UDP_LARGEST, 0, 0), Section.ADDITIONAL);
    }
    return response;
  }

  private static Record record(Name name, InetAddress address) {
    return address instanceof Inet4Address
        ? new ARecord(name, DClass.IN, TTL, address)
        : new AAAARecord(name, DClass.IN, TTL, address);
  }

  private static int limit(Message query, boolean tcp) {
    if (tcp) {
      return TCP_LARGEST;
    }
    OPTRecord options = query.getOPT();
    return options == null
        ? UDP_PLAIN
        : Math.clamp(options.getPayloadSize(), UDP_PLAIN, UDP_LARGEST);
  }

  /// With the TC bit where it does not fit.
  private static byte[] wire(Message response, int limit) {
    return response.toWire(limit);
  }

  private static byte[] formatError(byte[] bytes) {
    if (bytes.length < HEADER || (bytes[2] & 0x80) != 0) {
      return NOTHING;
    }
    Header header = new Header((bytes[0] & 0xff) << 8 | bytes[1] & 0xff);
    header.setFlag(Flags.QR);
    header.setRcode(Rcode.FORMERR);
    return header.toWire();
  }
}
