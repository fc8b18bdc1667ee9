package dev.microsandbox.agent;

import com.google.protobuf.ByteString;
import dev.microsandbox.agent.wire.Configure;
import dev.microsandbox.agent.wire.DownloadFile;
import dev.microsandbox.agent.wire.Egress;
import dev.microsandbox.agent.wire.HostName;
import dev.microsandbox.agent.wire.HostOpen;
import dev.microsandbox.agent.wire.RunCell;
import dev.microsandbox.agent.wire.SmallFile;
import dev.microsandbox.agent.wire.StartProcess;
import dev.microsandbox.agent.wire.UploadFile;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Writes this module's terms into messages for an agent.
final class HostWords {
  private static final int CODE_IN_OPEN = 60 * 1024;
  private static final int MAX_CODE = 8 << 20;

  private HostWords() {}

  static ByteString bytes(ObjectId id) {
    return ByteString.copyFrom(id.toBytes());
  }

  /// A cell's source, split into what goes into its OPEN and what follows as DATA.
  record Source(String beginning, ByteBuffer rest, long length) {
    static Source of(String code) {
      byte[] all = code.getBytes(StandardCharsets.UTF_8);
      if (all.length > MAX_CODE) {
        throw new SandboxException(
            ErrorCode.BODY_TOO_LARGE, "a cell may be 8 MiB long at most; put the rest into a file");
      }
      if (all.length <= CODE_IN_OPEN) {
        return new Source(code, ByteBuffer.allocate(0), 0);
      }
      int cut = CODE_IN_OPEN;
      while ((all[cut] & 0xc0) == 0x80) {
        cut--; // in the middle of a character
      }
      return new Source(
          new String(all, 0, cut, StandardCharsets.UTF_8),
          ByteBuffer.wrap(all, cut, all.length - cut),
          all.length);
    }
  }

  static HostOpen open(CellRequest request, Source source, int window) {
    RunCell.Builder cell =
        RunCell.newBuilder()
            .setObjectId(bytes(request.id()))
            .setContextId(request.contextId())
            .setCode(source.beginning())
            .setCodeLength(source.length())
            .setOffset(request.offset());
    return HostOpen.newBuilder().setWindow(window).setRunCell(cell).build();
  }

  static HostOpen open(ProcessRequest request, int window) {
    StartProcess.Builder process =
        StartProcess.newBuilder()
            .setObjectId(bytes(request.id()))
            .addAllArgv(request.argv())
            .putAllEnvironment(request.environment())
            .setWorkingDirectory(request.workingDirectory())
            .setUser(request.user())
            .setStdin(request.stdin())
            .setOffset(request.offset());
    return HostOpen.newBuilder().setWindow(window).setStartProcess(process).build();
  }

  static HostOpen download(String path, String user, int window) {
    DownloadFile.Builder file = DownloadFile.newBuilder().setPath(path).setUser(user);
    return HostOpen.newBuilder().setWindow(window).setDownloadFile(file).build();
  }

  static HostOpen upload(String path, FileMode mode) {
    UploadFile.Builder file =
        UploadFile.newBuilder()
            .setPath(path)
            .setUser(mode.user())
            .setMode(mode.permissions())
            .setMakeDirectories(mode.makeDirectories());
    return HostOpen.newBuilder().setUploadFile(file).build();
  }

  /// In as few messages as their size allows, in an order in which interpreters that are started by
  /// the last find everything in place.
  static List<Configure> configure(SandboxConfiguration from) {
    Configure authorities =
        Configure.newBuilder().setCaBundle(ByteString.copyFrom(from.caBundle())).build();
    Configure.Builder files = Configure.newBuilder();
    from.files().forEach(file -> files.addFiles(smallFile(file)));
    Configure rest = rest(from);
    Configure all =
        Configure.newBuilder()
            .mergeFrom(authorities)
            .mergeFrom(files.build())
            .mergeFrom(rest)
            .build();
    if (all.getSerializedSize() < Frames.MAX_PAYLOAD - 64) {
      return List.of(all);
    }
    List<Configure> parts = new ArrayList<>();
    if (!authorities.getCaBundle().isEmpty()) {
      parts.add(authorities);
    }
    if (files.getFilesCount() > 0) {
      parts.add(files.build());
    }
    parts.add(rest);
    return parts;
  }

  private static Configure rest(SandboxConfiguration from) {
    Configure.Builder rest =
        Configure.newBuilder()
            .setHostname(from.hostname())
            .putAllEnvironment(from.environment())
            .setEgress(Egress.newBuilder().setEnabled(from.egress()));
    from.hosts()
        .forEach((address, names) ->
            rest.addHosts(HostName.newBuilder().setAddress(address).addAllNames(names)));
    from.prestart().stream().map(Language::wireName).forEach(rest::addPrestart);
    from.renew().stream().map(Language::wireName).forEach(rest::addRenew);
    return rest.build();
  }

  private static SmallFile smallFile(SandboxConfiguration.SmallFile file) {
    return SmallFile.newBuilder()
        .setPath(file.path())
        .setContent(ByteString.copyFrom(file.content()))
        .setMode(file.permissions())
        .setOwner(file.owner())
        .build();
  }
}
