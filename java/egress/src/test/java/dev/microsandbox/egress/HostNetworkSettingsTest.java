package dev.microsandbox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostNetworkSettingsTest {
  @TempDir Path root;

  @Test
  void withoutSettingsNothingIsPassedOn() {
    HostNetworkSettings settings = read(Map.of());
    assertThat(settings.mirrors()).isEqualTo(PackageMirrors.NONE);
    assertThat(settings.authorities()).isEmpty();
    assertThat(settings.proxy()).isEmpty();
  }

  @Test
  void mirrorsOfTheEnvironmentArePassedOnWithoutCredentials() {
    PackageMirrors mirrors =
        read(Map.of(
                "PIP_INDEX_URL", "https://user:secret@pypi.corp/a%2Fb/simple/",
                "PIP_EXTRA_INDEX_URL", "http://one:1/x https://t:k@two/y?z=1",
                "PIP_TRUSTED_HOST", "one",
                "npm_config_registry", "https://tok@npm.corp:4873/"))
            .mirrors();
    assertThat(mirrors.environment())
        .containsOnly(
            Map.entry("PIP_INDEX_URL", "https://pypi.corp/a%2Fb/simple/"),
            Map.entry("PIP_EXTRA_INDEX_URL", "http://one:1/x https://two/y?z=1"),
            Map.entry("PIP_TRUSTED_HOST", "one"),
            Map.entry("NPM_CONFIG_REGISTRY", "https://npm.corp:4873/"));
    assertThat(mirrors.endpoints())
        .containsExactlyInAnyOrder(
            new Endpoint("pypi.corp", 443),
            new Endpoint("one", 1),
            new Endpoint("two", 443),
            new Endpoint("npm.corp", 4873));
  }

  @Test
  void mirrorsOfTheToolsFilesArePassedOnAndTokensAreNot() throws Exception {
    write(
        "etc/pip.conf",
        "[global]\nindex-url = https://system/simple\ncert = %s/ca.pem\n".formatted(root));
    write(
        "home/.config/pip/pip.conf",
        "# mine\n[global]\nindex_url=https://mine/simple\nextra-index-url =\n  https://a/s\n"
            + "  https://b/s\n");
    write(
        "home/.npmrc",
        "registry=\"https://npm.mine/\"\n//npm.mine/:_authToken=secret\ncafile=%s/npm.pem\n"
            .formatted(root));
    write("ca.pem", "x");
    write("npm.pem", "x");
    HostNetworkSettings settings = read(Map.of());
    assertThat(settings.mirrors().environment())
        .containsOnly(
            Map.entry("PIP_INDEX_URL", "https://mine/simple"),
            Map.entry("PIP_EXTRA_INDEX_URL", "https://a/s https://b/s"),
            Map.entry("NPM_CONFIG_REGISTRY", "https://npm.mine/"));
    assertThat(settings.mirrors().toString()).doesNotContain("secret");
    assertThat(settings.authorities())
        .containsExactlyInAnyOrder(
            root.toRealPath().resolve("ca.pem"), root.toRealPath().resolve("npm.pem"));
  }

  @Test
  void aMirrorOnTheHostsLoopbackGetsANameThatLeadsToItsPortAlone() {
    PackageMirrors mirrors =
        read(Map.of("PIP_INDEX_URL", "http://localhost:3141/root/pypi/+simple/")).mirrors();
    assertThat(mirrors.environment())
        .containsEntry(
            "PIP_INDEX_URL",
            "http://mirror-3141.host.microsandbox.internal:3141/root/pypi/+simple/")
        .containsEntry("PIP_TRUSTED_HOST", "mirror-3141.host.microsandbox.internal");
    assertThat(mirrors.names())
        .containsOnly(
            Map.entry("mirror-3141.host.microsandbox.internal", new Endpoint("127.0.0.1", 3141)));
    assertThat(mirrors.endpoints()).isEmpty();
    assertThat(read(Map.of("PIP_INDEX_URL", "https://127.0.0.1/simple")).mirrors())
        .isEqualTo(PackageMirrors.NONE);
  }

  @ParameterizedTest
  @CsvSource({"ftp://x/", "not a url", "'https:///path'", "file:///srv/wheels", "''"})
  void anIndexThatIsNoWebAddressIsLeftOut(String url) {
    assertThat(read(Map.of("PIP_INDEX_URL", url)).mirrors()).isEqualTo(PackageMirrors.NONE);
  }

  @Test
  void aProxyIsReadAndItsCredentialsAreNeverShown() {
    UpstreamProxy proxy =
        read(Map.of("HTTPS_PROXY", "http://me:pass@proxy.corp:3128", "NO_PROXY", "a, .b"))
            .proxy()
            .orElseThrow();
    assertThat(proxy.endpoint()).isEqualTo(new Endpoint("proxy.corp", 3128));
    assertThat(proxy.direct()).containsExactly("a", ".b");
    assertThat(proxy.authorization()).isEqualTo("Basic bWU6cGFzcw==");
    assertThat(proxy.toString()).doesNotContain("bWU6").doesNotContain("pass");
    assertThat(read(Map.of("HTTPS_PROXY", "socks5://x:1")).proxy()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "corp, a.corp, 443, true",
    ".corp, a.corp, 443, true",
    "*.corp, a.corp, 443, true",
    "corp, xcorp, 443, false",
    "corp:80, a.corp, 443, false",
    "corp:443, a.corp, 443, true",
    "192.0.2.0/24, other, 443, true",
    "192.0.2.7, other, 443, true",
    "*, other, 1, true",
    "'', other, 1, false"
  })
  void noProxyIsRespected(String entry, String name, int port, boolean direct) {
    UpstreamProxy proxy = UpstreamProxy.parse("proxy:3128", entry).orElseThrow();
    assertThat(
            proxy.isDirect(
                java.net.InetAddress.ofLiteral("192.0.2.7"), port, java.util.List.of(name)))
        .isEqualTo(direct);
  }

  @ParameterizedTest
  @CsvSource({
    "a, a, 0",
    "A.:80, a, 80",
    "[::1]:443, ::1, 443",
    "[::1], ::1, 0",
    "fd00::5, fd00::5, 0",
    "127.0.0.1:8443, 127.0.0.1, 8443"
  })
  void endpointsAreReadInAllForms(String text, String host, int port) {
    assertThat(Endpoint.parse(text)).isEqualTo(new Endpoint(host, port));
  }

  private HostNetworkSettings read(Map<String, String> environment) {
    return HostNetworkSettings.read(environment, root, root.resolve("home"));
  }

  private void write(String file, String content) throws Exception {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, content);
  }
}
