package dev.microsandbox.cli;

import dev.microsandbox.Doctor;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// What works on this machine.
@Command(
    name = "doctor",
    description = "Tries out what this machine can do, and says what would help.",
    footer = {"", "Example:", "  msb doctor"})
final class DoctorCommand extends SessionCommand {
  @Option(names = "--json", description = "As JSON.")
  boolean json;

  @Override
  public Integer call() {
    Doctor doctor = session.connectOrStart().administration().doctor();
    if (json) {
      JsonOutput.print(session.out(), doctor);
    } else {
      print(doctor);
    }
    return doctor.usable() ? ExitCode.OK : ExitCode.FAILED;
  }

  private void print(Doctor doctor) {
    for (Doctor.Finding finding : doctor.findings()) {
      String mark = finding.works() ? "ok    " : "wanting ";
      session.out().println(mark + " " + finding.subject() + ": " + finding.seen());
      if (!finding.remedy().isEmpty()) {
        session.out().println("        help: " + finding.remedy());
      }
    }
    session
        .out()
        .println(doctor.usable() ? "sandboxes can be made here" : "no sandbox can be made here");
  }
}
