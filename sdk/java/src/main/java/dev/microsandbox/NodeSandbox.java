package dev.microsandbox;

/// A sandbox whose cells are JavaScript, with npm.
///
/// `try (var sandbox = NodeSandbox.create()) { … }` starts one and stops it at the end of the
/// block.
public final class NodeSandbox extends BaseSandbox {
  private static final String LANGUAGE = "node";
  private static final String IMAGE = "microsandbox/node";

  private NodeSandbox(SandboxBuilder<NodeSandbox> builder) {
    super(builder, LANGUAGE, IMAGE);
  }

  /// Creates and starts a sandbox, and returns when it is usable.
  public static NodeSandbox create() {
    return builder().create();
  }

  /// Creates and starts a sandbox, and returns when it is usable.
  ///
  /// @throws SandboxException `name_taken` where one of this name is alive
  public static NodeSandbox create(String name) {
    return builder().name(name).create();
  }

  /// Finds a sandbox that exists.
  ///
  /// @throws SandboxException `sandbox_not_found`
  public static NodeSandbox connect(String nameOrId) {
    return builder().connect(nameOrId);
  }

  /// A sandbox put together step by step.
  public static SandboxBuilder<NodeSandbox> builder() {
    return new SandboxBuilder<>(NodeSandbox::new);
  }
}
