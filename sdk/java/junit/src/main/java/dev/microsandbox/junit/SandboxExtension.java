package dev.microsandbox.junit;

import dev.microsandbox.BaseSandbox;
import dev.microsandbox.ImageSandbox;
import dev.microsandbox.NodeSandbox;
import dev.microsandbox.PythonSandbox;
import dev.microsandbox.SandboxBuilder;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.commons.support.ModifierSupport;

/// Makes the sandboxes of [Sandbox] and removes them after the test, or after the class whose tests
/// share them.
public final class SandboxExtension
    implements BeforeAllCallback,
        BeforeEachCallback,
        AfterEachCallback,
        AfterAllCallback,
        ParameterResolver {
  private static final Namespace NAMESPACE = Namespace.create(SandboxExtension.class);

  /// Made by JUnit.
  public SandboxExtension() {}

  /// The sandboxes of one test or class, to be removed after it.
  private record Owned(List<BaseSandbox> sandboxes) {}

  @Override
  public void beforeAll(ExtensionContext context) throws IllegalAccessException {
    for (Field field : fields(context.getRequiredTestClass())) {
      if (ModifierSupport.isStatic(field)) {
        fill(field, null, context);
      }
    }
  }

  @Override
  public void beforeEach(ExtensionContext context) throws IllegalAccessException {
    for (Object test : context.getRequiredTestInstances().getAllInstances()) {
      for (Field field : fields(test.getClass())) {
        if (!ModifierSupport.isStatic(field)) {
          fill(field, test, context);
        }
      }
    }
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.isAnnotated(Sandbox.class);
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    Sandbox wanted = parameter.findAnnotation(Sandbox.class).orElseThrow();
    return create(parameter.getParameter().getType(), wanted, context);
  }

  @Override
  public void afterEach(ExtensionContext context) {
    remove(context);
  }

  @Override
  public void afterAll(ExtensionContext context) {
    remove(context);
  }

  private static List<Field> fields(Class<?> test) {
    return AnnotationSupport.findAnnotatedFields(test, Sandbox.class);
  }

  private static void fill(Field field, @Nullable Object test, ExtensionContext context)
      throws IllegalAccessException {
    if (Modifier.isFinal(field.getModifiers())) {
      throw new ExtensionConfigurationException(
          "a field with @Sandbox must not be final: " + field);
    }
    field.setAccessible(true);
    field.set(test, create(field.getType(), field.getAnnotation(Sandbox.class), context));
  }

  private static BaseSandbox create(Class<?> type, Sandbox wanted, ExtensionContext context) {
    BaseSandbox made = configured(builder(type), wanted, context).create();
    owned(context).sandboxes().add(made);
    return made;
  }

  private static SandboxBuilder<? extends BaseSandbox> builder(Class<?> type) {
    if (type == PythonSandbox.class) {
      return PythonSandbox.builder();
    }
    if (type == NodeSandbox.class) {
      return NodeSandbox.builder();
    }
    if (type == ImageSandbox.class) {
      return ImageSandbox.builder();
    }
    throw new ExtensionConfigurationException(
        "@Sandbox is for PythonSandbox, NodeSandbox and ImageSandbox, not for " + type.getName());
  }

  private static SandboxBuilder<? extends BaseSandbox> configured(
      SandboxBuilder<? extends BaseSandbox> builder, Sandbox wanted, ExtensionContext context) {
    context.getConfigurationParameter("microsandbox.server-url").ifPresent(builder::serverUrl);
    context.getConfigurationParameter("microsandbox.api-key").ifPresent(builder::apiKey);
    if (!wanted.image().isEmpty()) {
      builder.image(wanted.image());
    }
    if (wanted.memory() > 0) {
      builder.memory(wanted.memory());
    }
    if (wanted.cpus() > 0) {
      builder.cpus(wanted.cpus());
    }
    if (!wanted.network().isEmpty()) {
      builder.network(wanted.network());
    }
    for (String pair : wanted.env()) {
      int equals = pair.indexOf('=');
      if (equals <= 0) {
        throw new ExtensionConfigurationException("write env of @Sandbox as NAME=value: " + pair);
      }
      builder.env(pair.substring(0, equals), pair.substring(equals + 1));
    }
    return builder;
  }

  private static Owned owned(ExtensionContext context) {
    ExtensionContext.Store store = context.getStore(NAMESPACE);
    Owned owned = store.get(context.getUniqueId(), Owned.class);
    if (owned == null) {
      owned = new Owned(new ArrayList<>());
      store.put(context.getUniqueId(), owned);
    }
    return owned;
  }

  /// All of them, whatever goes wrong with one; the first failure is the one that is told.
  private static void remove(ExtensionContext context) {
    Owned owned = context.getStore(NAMESPACE).remove(context.getUniqueId(), Owned.class);
    if (owned == null) {
      return;
    }
    RuntimeException first = null;
    for (BaseSandbox sandbox : owned.sandboxes()) {
      try {
        sandbox.delete();
      } catch (RuntimeException e) {
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
