import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassTransform;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/// Brings a jar's classes that are older than Java 6 into the form of newer ones, in place: the AOT cache passes such classes
/// over, and the virtual machine then loads and verifies each of them at every start. Nothing of what they do changes.
///
/// Run as `java scripts/RenewClasses.java JAR`; a jar without such classes is left as it is.
final class RenewClasses {
  private static final int NEWER = ClassFile.JAVA_17_VERSION;

  private final ClassFile classes;
  private boolean renewed;

  private RenewClasses(ClassLoader jar) {
    // The new form carries stack maps, and to make them the classes' ancestors have to be known.
    ClassHierarchyResolver ancestors = ClassHierarchyResolver.ofResourceParsing(jar).orElse(ClassHierarchyResolver.defaultResolver());
    classes = ClassFile.of(ClassFile.ClassHierarchyResolverOption.of(ancestors));
  }

  public static void main(String[] arguments) throws IOException {
    Path jar = Path.of(arguments[0]);
    Path made = jar.resolveSibling(jar.getFileName() + ".new");
    try (URLClassLoader loader = new URLClassLoader(new URL[] {jar.toUri().toURL()})) {
      RenewClasses renewal = new RenewClasses(loader);
      renewal.copy(jar, made);
      if (renewal.renewed) {
        Files.setLastModifiedTime(made, Files.getLastModifiedTime(jar));
        Files.move(made, jar, StandardCopyOption.ATOMIC_MOVE);
      }
    } finally {
      Files.deleteIfExists(made);
    }
  }

  private void copy(Path jar, Path made) throws IOException {
    try (ZipInputStream in = new ZipInputStream(Files.newInputStream(jar));
        ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(made))) {
      for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        byte[] content = in.readAllBytes();
        ZipEntry copied = new ZipEntry(entry.getName());
        copied.setTime(entry.getTime());
        out.putNextEntry(copied);
        out.write(entry.getName().endsWith(".class") ? renew(content) : content);
        out.closeEntry();
      }
    }
  }

  private byte[] renew(byte[] content) {
    var parsed = classes.parse(content);
    if (parsed.majorVersion() >= ClassFile.JAVA_6_VERSION) {
      return content;
    }
    renewed = true;
    // Code that only passes through would be copied as it is, without stack maps.
    ClassTransform rebuilt = ClassTransform.transformingMethodBodies((code, element) -> code.with(element));
    return classes.transformClass(parsed, rebuilt.andThen(ClassTransform.endHandler(made -> made.withVersion(NEWER, 0))));
  }
}
