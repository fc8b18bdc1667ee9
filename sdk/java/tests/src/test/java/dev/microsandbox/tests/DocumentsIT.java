package dev.microsandbox.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.testkit.engine.EngineTestKit;

/// The blocks of docs/java.md, word for word: each prints what stands under it.
@Timeout(180)
class DocumentsIT {
  private static final Path PAGE = Checkout.ROOT.resolve("docs/java.md");
  private static final String CLASS_PATH = System.getProperty("java.class.path");

  @TempDir static Path folder;
  private static RunningServer running;

  @BeforeAll
  static void start() throws Exception {
    running = RunningServer.start();
  }

  @AfterAll
  static void stop() throws Exception {
    running.close();
  }

  @TestFactory
  Stream<DynamicTest> blocksPrintWhatStandsUnderThem() throws Exception {
    List<Block> blocks =
        Block.of(PAGE).stream().filter(block -> !block.language().equals("xml")).toList();
    assertThat(blocks).hasSizeGreaterThan(20);
    List<DynamicTest> tests = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      Block block = blocks.get(i);
      String name = tests.size() + 1 + ": " + block.heading();
      Path classes = folder.resolve("block-" + tests.size());
      assertThat(block.language()).as(name).isEqualTo("java");
      if (block.isTest()) {
        tests.add(DynamicTest.dynamicTest(name, () -> passes(block, classes)));
        continue;
      }
      Block output = blocks.get(++i);
      assertThat(output.language()).as("what is under " + name).isEqualTo("text");
      tests.add(
          DynamicTest.dynamicTest(
              name, () -> assertThat(printed(block, classes)).isEqualTo(output.source())));
    }
    return tests.stream();
  }

  private static String printed(Block block, Path classes) throws Exception {
    compile(block, classes);
    ProcessBuilder program =
        new ProcessBuilder(Checkout.JAVA, "-cp", classes + ":" + CLASS_PATH, block.className());
    program.environment().put("MSB_SERVER_URL", running.unixUrl());
    program.environment().remove("MSB_API_KEY");
    return Checkout.run(program);
  }

  private static void passes(Block block, Path classes) throws Exception {
    compile(block, classes);
    try (URLClassLoader loader = new URLClassLoader(new URL[] {classes.toUri().toURL()})) {
      EngineTestKit.engine("junit-jupiter")
          .configurationParameter("microsandbox.server-url", running.url())
          .selectors(DiscoverySelectors.selectClass(loader.loadClass(block.className())))
          .execute()
          .testEvents()
          .assertStatistics(each -> each.started(1).succeeded(1));
    }
  }

  private static void compile(Block block, Path classes) throws Exception {
    Files.createDirectory(classes);
    Path source = classes.resolve(block.className() + ".java");
    Files.writeString(source, block.program());
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter said = new StringWriter();
    boolean done =
        compiler
            .getTask(
                said,
                null,
                null,
                List.of(
                    "--release",
                    "21",
                    "-Xlint:all,-try",
                    "-Werror",
                    "-d",
                    classes.toString(),
                    "-cp",
                    CLASS_PATH),
                null,
                compiler.getStandardFileManager(null, null, null).getJavaFileObjects(source))
            .call();
    assertThat(done).as(said.toString()).isTrue();
  }
}
