package dev.microsandbox.isolation.oci;

import dev.microsandbox.isolation.IdRange;
import dev.microsandbox.isolation.LaunchSpec;
import dev.microsandbox.model.ByteSize;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Writes a sandbox's OCI configuration. What is the same for all sandboxes is in the resource
/// `config.json`, the system calls that they may make in `seccomp.json`.
final class Bundle {
  static final String AGENT = "/.msb/agent";
  static final String CHANNEL = "/.msb/channel";
  static final String SOCKET = "agent.sock";
  static final String PYTHON_DRIVER = "/.msb/python-driver";

  /// For tenant code that runs as root, in its own user namespace.
  private static final List<String> ROOT =
      List.of("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETUID", "SETGID", "KILL");

  /// For the agent alone: the TUN device, and the giving up of these two.
  private static final List<String> AGENT_ALONE = List.of("NET_ADMIN", "SETPCAP");

  private static final ByteSize MOST_SHARED_MEMORY = ByteSize.ofMib(1024);
  private static final int BYTES_PER_INODE = 4096;
  private static final JsonMapper JSON = new JsonMapper();

  private final ObjectNode template;

  Bundle() {
    template = resource("config.json");
    ObjectNode seccomp = resource("seccomp.json");
    seccomp.putArray("architectures").add(architecture());
    linux(template).set("seccomp", seccomp);
    ObjectNode capabilities = (ObjectNode) template.get("process").get("capabilities");
    for (String set : List.of("bounding", "effective", "permitted")) {
      ArrayNode names = capabilities.putArray(set);
      ROOT.forEach(name -> names.add("CAP_" + name));
      AGENT_ALONE.forEach(name -> names.add("CAP_" + name));
    }
    capabilities.putArray("inheritable");
    capabilities.putArray("ambient");
  }

  /// What a launch has prepared.
  ///
  /// @param pythonDriver the agent's driver, compiled for the image; null where there is none
  /// @param tun the TUN device's node; null for a sandbox that gets none
  record Parts(
      Path rootfs,
      Path agent,
      @Nullable Path pythonDriver,
      Path channel,
      @Nullable Path tun,
      String cgroup) {}

  byte[] configuration(LaunchSpec spec, Parts parts) {
    ObjectNode config = template.deepCopy();
    ((ObjectNode) config.get("root")).put("path", parts.rootfs.toString());
    ArrayNode environment = (ArrayNode) config.get("process").get("env");
    environment(spec).forEach((name, value) -> environment.add(name + "=" + value));
    ArrayNode mounts = (ArrayNode) config.get("mounts");
    mountTemporary(mounts, spec.limits().memory());
    mountParts(mounts, parts);
    ObjectNode linux = linux(config);
    linux.put("cgroupsPath", parts.cgroup);
    map((ArrayNode) linux.get("uidMappings"), spec.ids());
    map((ArrayNode) linux.get("gidMappings"), spec.ids());
    if (parts.tun != null) {
      allowTun((ArrayNode) linux.get("resources").get("devices"));
    }
    return JSON.writeValueAsBytes(config);
  }

  private static Map<String, String> environment(LaunchSpec spec) {
    Map<String, String> environment = new TreeMap<>(spec.imageEnvironment());
    environment.keySet().removeIf(name -> name.startsWith("MSB_"));
    environment.put("MSB_SANDBOX_ID", spec.id().value());
    environment.put("MSB_CHANNEL", CHANNEL + "/" + SOCKET);
    return environment;
  }

  /// Both are memory, and count as the sandbox's.
  private static void mountTemporary(ArrayNode mounts, ByteSize memory) {
    long half = memory.bytes() / 2;
    temporary(mounts, "/tmp", half);
    temporary(mounts, "/dev/shm", Math.min(half, MOST_SHARED_MEMORY.bytes()));
  }

  private static void temporary(ArrayNode mounts, String at, long bytes) {
    ArrayNode options = mount(mounts, at, "tmpfs", "tmpfs");
    List.of("nosuid", "nodev", "mode=1777").forEach(options::add);
    if (at.equals("/dev/shm")) {
      options.add("noexec");
    }
    options.add("size=" + bytes / 1024 + "k");
    options.add("nr_inodes=" + bytes / BYTES_PER_INODE);
  }

  private static void mountParts(ArrayNode mounts, Parts parts) {
    ArrayNode agent = mount(mounts, AGENT, "bind", parts.agent.toString());
    List.of("bind", "ro", "nosuid", "nodev").forEach(agent::add);
    if (parts.pythonDriver != null) {
      ArrayNode driver = mount(mounts, PYTHON_DRIVER, "bind", parts.pythonDriver.toString());
      List.of("bind", "ro", "nosuid", "nodev", "noexec").forEach(driver::add);
    }
    ArrayNode channel = mount(mounts, CHANNEL, "bind", parts.channel.toString());
    List.of("bind", "ro", "nosuid", "nodev", "noexec").forEach(channel::add);
    if (parts.tun != null) {
      ArrayNode tun = mount(mounts, "/dev/net/tun", "bind", parts.tun.toString());
      List.of("bind", "nosuid", "noexec").forEach(tun::add);
    }
  }

  private static ArrayNode mount(ArrayNode mounts, String at, String type, String source) {
    return mounts
        .addObject()
        .put("destination", at)
        .put("type", type)
        .put("source", source)
        .putArray("options");
  }

  private static void map(ArrayNode mappings, IdRange ids) {
    mappings.addObject().put("containerID", 0).put("hostID", ids.start()).put("size", IdRange.SIZE);
  }

  private static void allowTun(ArrayNode devices) {
    devices
        .addObject()
        .put("allow", true)
        .put("type", "c")
        .put("major", 10)
        .put("minor", 200)
        .put("access", "rw");
  }

  private static ObjectNode linux(ObjectNode config) {
    return (ObjectNode) config.get("linux");
  }

  private static String architecture() {
    return switch (System.getProperty("os.arch")) {
      case "aarch64" -> "SCMP_ARCH_AARCH64";
      default -> "SCMP_ARCH_X86_64";
    };
  }

  private static ObjectNode resource(String name) {
    try (InputStream in = Bundle.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("resource is missing: " + name);
      }
      return (ObjectNode) JSON.readTree(in);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
