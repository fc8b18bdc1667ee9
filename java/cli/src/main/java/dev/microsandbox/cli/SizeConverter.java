package dev.microsandbox.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Reads a size in MiB: `512`, `512m`, `2g`.
final class SizeConverter implements ITypeConverter<Integer> {
  private static final Pattern FORM = Pattern.compile("(\\d{1,9})([mg]?)(?:i?b)?");

  @Override
  public Integer convert(String text) {
    Matcher matcher = FORM.matcher(text.toLowerCase(Locale.ROOT));
    if (!matcher.matches()) {
      throw new TypeConversionException("'" + text + "' is not a size; write 512m or 2g");
    }
    return Math.multiplyExact(
        Integer.parseInt(matcher.group(1)), matcher.group(2).equals("g") ? 1024 : 1);
  }
}
