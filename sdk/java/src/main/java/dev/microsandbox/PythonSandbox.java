package dev.microsandbox;

/// A sandbox whose cells are Python, with pip.
///
/// `try (var sandbox = PythonSandbox.create()) { … }` starts one and stops it at the end of the
/// block.
public final class PythonSandbox extends BaseSandbox {
  private static final String LANGUAGE = "python";
  private static final String IMAGE = "microsandbox/python";

  private PythonSandbox(SandboxBuilder<PythonSandbox> builder) {
    super(builder, LANGUAGE, IMAGE);
  }

  /// Creates and starts a sandbox, and returns when it is usable.
  public static PythonSandbox create() {
    return builder().create();
  }

  /// Creates and starts a sandbox, and returns when it is usable.
  ///
  /// @throws SandboxException `name_taken` where one of this name is alive
  public static PythonSandbox create(String name) {
    return builder().name(name).create();
  }

  /// Finds a sandbox that exists.
  ///
  /// @throws SandboxException `sandbox_not_found`
  public static PythonSandbox connect(String nameOrId) {
    return builder().connect(nameOrId);
  }

  /// A sandbox put together step by step.
  public static SandboxBuilder<PythonSandbox> builder() {
    return new SandboxBuilder<>(PythonSandbox::new);
  }
}
