package dev.microsandbox.isolation.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.isolation.IdRange;
import dev.microsandbox.isolation.LaunchSpec;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.SandboxId;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BundleTest {
  private static final SandboxId ID = new SandboxId("sb0123456789abcdef");

  private static JsonNode config(@Nullable Path tun) {
    return config(tun, null);
  }

  private static JsonNode config(@Nullable Path tun, @Nullable Path pythonDriver) {
    LaunchSpec spec =
        new LaunchSpec(
            ID,
            Path.of("/image"),
            Map.of("PATH", "/bin", "MSB_CHANNEL", "/evil"),
            Limits.DEFAULT,
            new IdRange(IdRange.SIZE * 7),
            tun != null);
    Bundle.Parts parts =
        new Bundle.Parts(
            Path.of("/r"),
            Path.of("/a"),
            pythonDriver,
            Path.of("/c"),
            tun,
            "/microsandbox/h/" + ID);
    return new JsonMapper().readTree(new Bundle().configuration(spec, parts));
  }

  private static List<String> texts(JsonNode array) {
    return array.valueStream().map(JsonNode::asString).toList();
  }

  @Test
  void aCompiledDriverIsThereToBeReadAndNothingElse() {
    List<JsonNode> mounts =
        config(null, Path.of("/images/d"))
            .get("mounts")
            .valueStream()
            .filter(m -> m.get("destination").asString().equals(Bundle.PYTHON_DRIVER))
            .toList();
    assertThat(mounts).hasSize(1);
    assertThat(mounts.getFirst().get("source").asString()).isEqualTo("/images/d");
    assertThat(texts(mounts.getFirst().get("options")))
        .contains("bind", "ro", "nosuid", "nodev", "noexec");
    assertThat(config(null).get("mounts").toString()).doesNotContain(Bundle.PYTHON_DRIVER);
  }

  @Test
  void everyNamespaceIsItsOwn() {
    assertThat(
            config(null).at("/linux/namespaces").valueStream().map(n -> n.get("type").asString()))
        .containsExactlyInAnyOrder("user", "pid", "network", "ipc", "uts", "mount", "cgroup");
  }

  @Test
  void idsAreMappedToTheSandboxesOwnRange() {
    assertThat(config(null).at("/linux/uidMappings/0/hostID").asInt()).isEqualTo(7 * IdRange.SIZE);
    assertThat(config(null).at("/linux/gidMappings/0/size").asInt()).isEqualTo(IdRange.SIZE);
  }

  @Test
  void capabilitiesAreThoseOfRootInsideAndTheAgentsTwo() {
    JsonNode capabilities = config(null).at("/process/capabilities");

    assertThat(texts(capabilities.get("bounding")))
        .containsExactlyInAnyOrder(
            "CAP_CHOWN",
            "CAP_DAC_OVERRIDE",
            "CAP_FOWNER",
            "CAP_FSETID",
            "CAP_SETUID",
            "CAP_SETGID",
            "CAP_KILL",
            "CAP_NET_ADMIN",
            "CAP_SETPCAP");
    assertThat(capabilities.get("inheritable")).isEmpty();
    assertThat(capabilities.get("ambient")).isEmpty();
    assertThat(config(null).at("/process/noNewPrivileges").asBoolean()).isTrue();
  }

  @Test
  void theImageCannotSpeakForUs() {
    assertThat(texts(config(null).at("/process/env")))
        .containsExactlyInAnyOrder(
            "PATH=/bin", "MSB_SANDBOX_ID=" + ID, "MSB_CHANNEL=/.msb/channel/agent.sock");
  }

  @Test
  void theTunDeviceIsThereForEgressOnly() {
    assertThat(config(null).toString())
        .doesNotContain("/dev/net/tun")
        .doesNotContain("\"minor\":200");
    assertThat(config(Path.of("/t")).toString()).contains("/dev/net/tun");
  }

  @Test
  void everySystemCallHasOneFate() {
    JsonNode rules = config(null).at("/linux/seccomp/syscalls");
    Set<String> allowed = new HashSet<>();
    Set<String> refused = new HashSet<>();
    for (JsonNode rule : rules) {
      if (!rule.has("args")) {
        boolean allow = rule.get("action").asString().equals("SCMP_ACT_ALLOW");
        for (String name : texts(rule.get("names"))) {
          assertThat((allow ? allowed : refused).add(name)).as(name).isTrue();
        }
      }
    }

    assertThat(config(null).at("/linux/seccomp/defaultAction").asString())
        .isEqualTo("SCMP_ACT_ERRNO");
    assertThat(allowed).doesNotContainAnyElementsOf(refused).hasSizeGreaterThan(200);
    assertThat(allowed)
        .doesNotContain(
            "mount",
            "bpf",
            "keyctl",
            "unshare",
            "setns",
            "io_uring_setup",
            "userfaultfd",
            "clone",
            "clone3",
            "socket",
            "perf_event_open",
            "open_by_handle_at",
            "pivot_root",
            "kexec_load");
  }
}
