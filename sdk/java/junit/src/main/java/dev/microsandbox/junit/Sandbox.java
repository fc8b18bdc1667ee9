package dev.microsandbox.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/// Gives a test a sandbox of its own, which is removed after it.
///
/// On a parameter or an instance field the sandbox is the test's; on a static field all tests of
/// the class share it. The type is [dev.microsandbox.PythonSandbox],
/// [dev.microsandbox.NodeSandbox], or [dev.microsandbox.ImageSandbox] with an [#image].
///
/// The server is that of the configuration parameters `microsandbox.server-url` and
/// `microsandbox.api-key`, of the environment (`MSB_SERVER_URL`, `MSB_API_KEY`), or the local one.
@Documented
@Target({ElementType.PARAMETER, ElementType.FIELD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(SandboxExtension.class)
public @interface Sandbox {
  /// The image; the type's own where empty.
  String image() default "";

  /// Limit of memory in MiB; the server's default where 0.
  int memory() default 0;

  /// Limit of processing time in CPUs; the server's default where 0.
  double cpus() default 0;

  /// What it may reach: `public` or `none`; the server's default where empty.
  String network() default "";

  /// Environment of everything that runs in it, each `NAME=value`.
  String[] env() default {};
}
