package dev.microsandbox.app;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Who may depend on whom, as ARCHITECTURE.md has it.
class ModuleRulesTest {
  private static final String ROOT = "dev.microsandbox.";
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.microsandbox");

  private static final Map<String, List<String>> ALLOWED =
      Map.ofEntries(
          Map.entry("model", List.of()),
          Map.entry("linux", List.of("model")),
          Map.entry("agent", List.of("model")),
          Map.entry("isolation", List.of("model", "agent")),
          Map.entry("images", List.of("model", "linux", "agent")),
          Map.entry("egress", List.of("model", "linux", "agent")),
          Map.entry("isolation.oci", List.of("model", "isolation", "linux", "images", "agent")),
          Map.entry("engine", List.of("model", "isolation", "images", "egress", "agent")),
          Map.entry("server", List.of("model", "engine", "isolation")),
          Map.entry("cli", List.of()));

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model",
        "linux",
        "agent",
        "isolation",
        "images",
        "egress",
        "isolation.oci",
        "engine",
        "server",
        "cli"
      })
  void aModuleUsesOnlyWhatItMay(String module) {
    List<String> packages = new ArrayList<>(List.of(ROOT + module));
    ALLOWED.getOrDefault(module, List.of()).forEach(each -> packages.add(ROOT + each));
    String[] forbidden =
        ALLOWED.keySet().stream()
            .map(each -> ROOT + each)
            .filter(each -> !packages.contains(each))
            .toArray(String[]::new);
    assertThat(CLASSES.stream().anyMatch(type -> type.getPackageName().equals(ROOT + module)))
        .as("classes of " + module)
        .isTrue();
    noClasses()
        .that()
        .resideInAPackage(ROOT + module)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(forbidden)
        .check(CLASSES);
  }

  @Test
  void nobodyUsesTheApp() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + "app")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(ROOT + "app")
        .check(CLASSES);
  }

  @Test
  void onlyLinuxCallsTheSystem() {
    noClasses()
        .that()
        .resideOutsideOfPackages(ROOT + "linux", ROOT + "cli", "dev.microsandbox")
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.lang.ProcessBuilder")
        .orShould()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.lang.foreign.Linker")
        .check(CLASSES);
  }

  @Test
  void theServerAloneSpeaksHttp() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + "server")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.eclipse.jetty..")
        .check(CLASSES);
  }

  @Test
  void theModelKnowsNobody() {
    classes()
        .that()
        .resideInAPackage(ROOT + "model")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("java..", ROOT + "model", "org.jspecify.annotations")
        .check(CLASSES);
  }
}
