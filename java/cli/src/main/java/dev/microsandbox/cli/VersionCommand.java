package dev.microsandbox.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;

/// This program's version.
@Command(name = "version", description = "Shows this program's version.")
final class VersionCommand extends SessionCommand {
  @Override
  public Integer call() {
    session.out().println(new Provider().getVersion()[0]);
    return ExitCode.OK;
  }

  /// Reads the version that the build wrote into the jar.
  static final class Provider implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Msb.class.getPackage().getImplementationVersion();
      return new String[] {"msb " + (version == null ? "(not packaged)" : version)};
    }
  }
}
