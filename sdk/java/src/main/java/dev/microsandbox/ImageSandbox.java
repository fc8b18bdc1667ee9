package dev.microsandbox;

/// A sandbox of any image; its cells are in the first language that the image has an interpreter
/// for.
public final class ImageSandbox extends BaseSandbox {
  private static final String IMAGE = "microsandbox/python";

  private ImageSandbox(SandboxBuilder<ImageSandbox> builder) {
    super(builder, null, IMAGE);
  }

  /// Creates and starts a sandbox of an image, and returns when it is usable.
  ///
  /// @throws SandboxException `image_not_found`
  public static ImageSandbox create(String image) {
    return builder().image(image).create();
  }

  /// Finds a sandbox that exists.
  ///
  /// @throws SandboxException `sandbox_not_found`
  public static ImageSandbox connect(String nameOrId) {
    return builder().connect(nameOrId);
  }

  /// A sandbox put together step by step.
  public static SandboxBuilder<ImageSandbox> builder() {
    return new SandboxBuilder<>(ImageSandbox::new);
  }
}
