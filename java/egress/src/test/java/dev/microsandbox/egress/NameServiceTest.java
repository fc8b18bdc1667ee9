package dev.microsandbox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

@Timeout(60)
class NameServiceTest {
  private final HostResolver resolver = new HostResolver();
  private final NameTable table = new NameTable();
  private boolean allowed = true;
  private final NameService names =
      new NameService(
          resolver,
          new NameMap(Map.of("httpbin.org", Endpoint.parse("127.0.0.1:8443"))),
          table,
          () -> allowed);

  @AfterEach
  void close() {
    resolver.close();
  }

  @Test
  void answersWithWhatTheHostKnowsAndRemembersIt() throws Exception {
    Message answer = ask("localhost", Type.A);
    assertThat(answer.getRcode()).isEqualTo(Rcode.NOERROR);
    assertThat(answer.getHeader().getFlag(Flags.QR)).isTrue();
    assertThat(answer.getSection(Section.ANSWER)).hasSize(1);
    Record record = answer.getSection(Section.ANSWER).getFirst();
    assertThat(record.rdataToString()).isEqualTo("127.0.0.1");
    assertThat(record.getTTL()).isLessThanOrEqualTo(60);
    assertThat(table.namesOf(InetAddress.ofLiteral("127.0.0.1"))).containsExactly("localhost");
  }

  @Test
  void namesAreKnownInAnyCase() throws Exception {
    assertThat(ask("LocalHost", Type.A).getSection(Section.ANSWER)).hasSize(1);
  }

  @Test
  void aMappedNameGetsASyntheticAddress() throws Exception {
    Message answer = ask("HttpBin.org", Type.A);
    assertThat(answer.getSection(Section.ANSWER).getFirst().rdataToString()).startsWith("198.19.");
    assertThat(ask("httpbin.org", Type.AAAA).getRcode()).isEqualTo(Rcode.NOERROR);
    assertThat(ask("httpbin.org", Type.AAAA).getSection(Section.ANSWER)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {Type.MX, Type.TXT, Type.PTR, Type.HTTPS, Type.ANY, Type.SRV})
  void otherTypesAreEmpty(int type) throws Exception {
    Message answer = ask("localhost", type);
    assertThat(answer.getRcode()).isEqualTo(Rcode.NOERROR);
    assertThat(answer.getSection(Section.ANSWER)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.2.3.4", "127.1", "0x7f.1", "2130706433", "a b", "x..", "-x.org"})
  void whatIsNoHostNameDoesNotExist(String name) throws Exception {
    if (name.equals("0x7f.1")) {
      assertThat(Names.isResolvable(name)).isFalse();
    }
    String labels = name.endsWith(".") ? name.replaceAll("\\.+$", "") + "_-" : name;
    assertThat(ask(labels.replace(" ", "\\032"), Type.A).getRcode()).isEqualTo(Rcode.NXDOMAIN);
  }

  @Test
  void underNoneEverythingIsRefused() throws Exception {
    allowed = false;
    assertThat(ask("localhost", Type.A).getRcode()).isEqualTo(Rcode.REFUSED);
    assertThat(ask("httpbin.org", Type.A).getRcode()).isEqualTo(Rcode.REFUSED);
  }

  @ParameterizedTest
  @CsvSource({
    "x: Name or service not known, NoSuchName",
    "x: No address associated with hostname, NoAddress",
    "x: Temporary failure in name resolution, Failed",
    "x, Failed"
  })
  void theSystemsWordsAreTold(String message, String kind) {
    assertThat(HostResolver.failure(message).getClass().getSimpleName()).isEqualTo(kind);
  }

  @Test
  void otherOperationsAndClassesAreNotServed() throws Exception {
    Message update = query("localhost", Type.A);
    update.getHeader().setOpcode(Opcode.UPDATE);
    assertThat(ask(update, false).getRcode()).isEqualTo(Rcode.NOTIMP);
    Record chaos = Record.newRecord(Name.fromString("version.bind."), Type.TXT, DClass.CHAOS);
    assertThat(ask(Message.newQuery(chaos), false).getRcode()).isEqualTo(Rcode.REFUSED);
    Message two = query("localhost", Type.A);
    two.addRecord(Record.newRecord(Name.fromString("b."), Type.A, DClass.IN), Section.QUESTION);
    assertThat(ask(two, false).getRcode()).isEqualTo(Rcode.FORMERR);
  }

  @Test
  void ednsIsAnsweredWithEdns() throws Exception {
    Message query = query("localhost", Type.A);
    assertThat(ask(query, false).getOPT()).isNull();
    query.addRecord(new OPTRecord(4_096, 0, 0), Section.ADDITIONAL);
    assertThat(ask(query, false).getOPT().getPayloadSize()).isEqualTo(1_232);
  }

  @Test
  void randomBytesAreAnsweredOrDroppedAndNothingElse() throws Exception {
    for (int seed = 0; seed < 3_000; seed++) {
      Random random = new Random(seed);
      byte[] bytes = new byte[random.nextInt(200)];
      random.nextBytes(bytes);
      if (bytes.length > 4) {
        bytes[4] = 0;
        bytes[2] &= 0x7f;
      }
      byte[] answer = raw(bytes, false);
      assertThat(answer.length).isLessThanOrEqualTo(1_232);
    }
  }

  @Test
  void anAnswerIsNotAnswered() throws Exception {
    Message answer = query("localhost", Type.A);
    answer.getHeader().setFlag(Flags.QR);
    assertThat(raw(answer.toWire(), false)).isEmpty();
  }

  @Test
  void aFloodIsAnsweredInFullAndMostlyWithFailure() throws Exception {
    AtomicInteger running = new AtomicInteger();
    AtomicInteger mostRunning = new AtomicInteger();
    CountDownLatch gate = new CountDownLatch(1);
    try (HostResolver slow =
        new HostResolver(_ -> {
          mostRunning.accumulateAndGet(running.incrementAndGet(), Math::max);
          awaitQuietly(gate);
          running.decrementAndGet();
          return new InetAddress[] {InetAddress.ofLiteral("8.8.8.8")};
        })) {
      NameService flooded =
          new NameService(slow, new NameMap(Map.of()), new NameTable(), () -> true);
      AtomicIntegerArray codes = new AtomicIntegerArray(16);
      int flood = 5_000;
      for (int i = 0; i < flood; i++) {
        flooded.answer(
            query("n" + i + ".org", Type.A).toWire(), false, m -> codes.incrementAndGet(m[3] & 15));
      }
      assertThat(codes.get(Rcode.SERVFAIL)).isEqualTo(flood - 16 - 256);
      gate.countDown();
      while (codes.get(Rcode.NOERROR) < 16 + 256) {
        Thread.sleep(5);
      }
      assertThat(mostRunning.get()).isLessThanOrEqualTo(16);
    }
  }

  @Test
  void whatDoesNotFitIsCutWithTheTcBit() throws Exception {
    InetAddress[] many = new InetAddress[16];
    for (int i = 0; i < many.length; i++) {
      many[i] =
          InetAddress.getByAddress(
              new byte[] {32, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte) i});
    }
    try (HostResolver system = new HostResolver(_ -> many)) {
      NameService large =
          new NameService(system, new NameMap(Map.of()), new NameTable(), () -> true);
      byte[] query = query("many.org", Type.AAAA).toWire();
      CompletableFuture<byte[]> udp = new CompletableFuture<>();
      CompletableFuture<byte[]> tcp = new CompletableFuture<>();
      large.answer(query, false, udp::complete);
      large.answer(query, true, tcp::complete);
      assertThat(udp.get(5, TimeUnit.SECONDS).length).isLessThanOrEqualTo(512);
      assertThat(new Message(udp.get()).getHeader().getFlag(Flags.TC))
          .isEqualTo(new Message(tcp.get(5, TimeUnit.SECONDS)).toWire().length > 512);
      assertThat(new Message(tcp.get()).getSection(Section.ANSWER)).hasSize(16);
    }
  }

  @Test
  void oneLookUpServesAllWhoAskAtOnce() throws Exception {
    AtomicInteger lookUps = new AtomicInteger();
    CountDownLatch gate = new CountDownLatch(1);
    try (HostResolver system =
        new HostResolver(_ -> {
          lookUps.incrementAndGet();
          awaitQuietly(gate);
          throw new UnknownHostException("x: Name or service not known");
        })) {
      NameService asked =
          new NameService(system, new NameMap(Map.of()), new NameTable(), () -> true);
      CountDownLatch answers = new CountDownLatch(2);
      for (int type : List.of(Type.A, Type.AAAA)) {
        asked.answer(
            query("x.org", type).toWire(),
            false,
            m -> {
              assertThat(m[3] & 15).isEqualTo(Rcode.NXDOMAIN);
              answers.countDown();
            });
      }
      gate.countDown();
      assertThat(answers.await(5, TimeUnit.SECONDS)).isTrue();
      assertThat(lookUps.get()).isEqualTo(1);
    }
  }

  private static void awaitQuietly(CountDownLatch gate) {
    try {
      gate.await();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void theTableOfNamesIsBounded() throws Exception {
    for (int i = 0; i < 10_000; i++) {
      InetAddress address = InetAddress.getByAddress(new byte[] {8, 1, (byte) (i >> 8), (byte) i});
      table.add(address, "n" + i);
      table.add(InetAddress.ofLiteral("8.8.8.8"), "n" + i);
    }
    assertThat(table.namesOf(InetAddress.ofLiteral("8.1.0.0"))).isEmpty();
    assertThat(table.namesOf(InetAddress.ofLiteral("8.8.8.8")))
        .isEqualTo(List.of("n9999", "n9998", "n9997", "n9996", "n9995", "n9994", "n9993", "n9992"));
  }

  private Message ask(String name, int type) throws Exception {
    return ask(query(name, type), false);
  }

  private Message ask(Message query, boolean tcp) throws Exception {
    Message answer = new Message(raw(query.toWire(), tcp));
    assertThat(answer.getHeader().getID()).isEqualTo(query.getHeader().getID());
    return answer;
  }

  private byte[] raw(byte[] query, boolean tcp) throws Exception {
    CompletableFuture<byte[]> answer = new CompletableFuture<>();
    names.answer(query, tcp, answer::complete);
    return answer.get(30, TimeUnit.SECONDS);
  }

  private static Message query(String name, int type) throws Exception {
    return Message.newQuery(Record.newRecord(Name.fromString(name + "."), type, DClass.IN));
  }
}
