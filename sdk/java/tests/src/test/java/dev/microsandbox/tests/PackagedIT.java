package dev.microsandbox.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The artifacts as their users get them: put into a repository of their own, resolved from there
/// by an empty project with an empty local repository, compiled against and run.
///
/// They are built from a copy of their sources, for the jars of this build are in use.
@Timeout(1800)
class PackagedIT {
  private static final String VERSION = "0.1.0-SNAPSHOT";
  private static final Path LOCAL_REPOSITORY = Path.of(System.getProperty("local.repository"));

  private static final String SETTINGS =
      """
      <settings>
        <mirrors>
          <mirror><id>known</id><mirrorOf>*,!staging</mirrorOf><url>%s</url></mirror>
        </mirrors>
      </settings>
      """;

  private static final String PROJECT =
      """
      <project xmlns="http://maven.apache.org/POM/4.0.0">
        <modelVersion>4.0.0</modelVersion>
        <groupId>com.example</groupId>
        <artifactId>first</artifactId>
        <version>1</version>
        <properties>
          <maven.compiler.release>21</maven.compiler.release>
          <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
        </properties>
        <repositories>
          <repository>
            <id>staging</id>
            <url>%s</url>
            <snapshots><enabled>true</enabled></snapshots>
          </repository>
        </repositories>
        <dependencies>
          <dependency>
            <groupId>dev.microsandbox</groupId>
            <artifactId>microsandbox</artifactId>
            <version>0.1.0-SNAPSHOT</version>
          </dependency>
          <dependency>
            <groupId>dev.microsandbox</groupId>
            <artifactId>microsandbox-junit</artifactId>
            <version>0.1.0-SNAPSHOT</version>
            <scope>test</scope>
          </dependency>
        </dependencies>
      </project>
      """;

  @TempDir static Path folder;
  private static Path staging;
  private static RunningServer running;

  @BeforeAll
  static void publish() throws Exception {
    staging = folder.resolve("staging");
    Path sources = folder.resolve("sources");
    copy("pom.xml", sources);
    copy(".mvn/jvm.config", sources);
    copy("sdk/java/pom.xml", sources);
    copy("sdk/java/src/main", sources);
    copy("sdk/java/junit/pom.xml", sources);
    copy("sdk/java/junit/src/main", sources);
    // The parent by itself: the copy has no other modules.
    String parent = Files.readString(sources.resolve("pom.xml"));
    Files.writeString(
        sources.resolve("pom.xml"),
        parent.replaceAll(
            "(?s)<modules>.*</modules>",
            "<modules><module>sdk/java</module><module>sdk/java/junit</module></modules>"));
    String target = "-DaltDeploymentRepository=staging::" + staging.toUri();
    maven(sources, List.of("-Prelease", "deploy", "-Dmaven.test.skip=true", target));
    running = RunningServer.start();
  }

  @AfterAll
  static void stop() throws Exception {
    running.close();
  }

  @Test
  void emptyProjectResolvesCompilesAndRunsAFirstProgram() throws Exception {
    Block first =
        Block.of(Checkout.ROOT.resolve("docs/java.md")).stream()
            .filter(block -> block.heading().equals("A first program"))
            .findFirst()
            .orElseThrow();
    Path project = Files.createDirectory(folder.resolve("project"));
    Path sources = Files.createDirectories(project.resolve("src/main/java"));
    Files.writeString(project.resolve("pom.xml"), PROJECT.formatted(staging.toUri()));
    Files.writeString(sources.resolve(first.className() + ".java"), first.program());
    Path settings = project.resolve("settings.xml");
    Files.writeString(settings, SETTINGS.formatted(LOCAL_REPOSITORY.toUri()));

    maven(
        project,
        List.of(
            "-s",
            settings.toString(),
            "-Dmaven.repo.local=" + folder.resolve("repository"),
            // The versions of the plugins that this build has, so that they are there.
            "org.apache.maven.plugins:maven-compiler-plugin:3.16.0:compile",
            "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy-dependencies",
            "-DincludeScope=runtime"));
    Path libraries = project.resolve("target/dependency");
    assertThat(names(libraries))
        .hasSize(3)
        .anyMatch(name -> name.startsWith("microsandbox-"))
        .anyMatch(name -> name.startsWith("jackson-core-"))
        .anyMatch(name -> name.startsWith("jspecify-"));

    ProcessBuilder program =
        new ProcessBuilder(
            Checkout.JAVA,
            "-cp",
            project.resolve("target/classes") + ":" + libraries + "/*",
            first.className());
    program.environment().put("MSB_SERVER_URL", running.unixUrl());
    assertThat(Checkout.run(program)).isEqualTo("Hello from Python!\n");
  }

  @Test
  void artifactsHaveTheirSourcesAndJavadoc() throws Exception {
    for (String artifact : List.of("microsandbox", "microsandbox-junit")) {
      assertThat(names(staging.resolve("dev/microsandbox").resolve(artifact).resolve(VERSION)))
          .anyMatch(name -> name.endsWith("-sources.jar"))
          .anyMatch(name -> name.endsWith("-javadoc.jar"))
          .anyMatch(name -> name.endsWith(".pom"));
    }
  }

  private static void copy(String path, Path to) throws Exception {
    Path from = Checkout.ROOT.resolve(path);
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path target = to.resolve(Checkout.ROOT.relativize(file));
        Files.createDirectories(target.getParent());
        Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  private static void maven(Path project, List<String> arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("mvn", "-B", "-q"));
    command.addAll(arguments);
    ProcessBuilder maven = new ProcessBuilder(command).directory(project.toFile());
    maven.environment().put("JAVA_HOME", System.getProperty("java.home"));
    maven.environment().remove("MAVEN_OPTS");
    Checkout.run(maven);
  }

  private static List<String> names(Path directory) throws Exception {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }
}
