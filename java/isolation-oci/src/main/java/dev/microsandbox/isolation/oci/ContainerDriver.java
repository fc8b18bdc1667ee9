package dev.microsandbox.isolation.oci;

import dev.microsandbox.agent.ListeningTransport;
import dev.microsandbox.isolation.AdoptSpec;
import dev.microsandbox.isolation.Adoption;
import dev.microsandbox.isolation.HomeTrouble;
import dev.microsandbox.isolation.IsolationDriver;
import dev.microsandbox.isolation.LaunchSpec;
import dev.microsandbox.isolation.ProbeReport;
import dev.microsandbox.isolation.SandboxEnd;
import dev.microsandbox.linux.Cgroup;
import dev.microsandbox.linux.Cgroups;
import dev.microsandbox.linux.HostProcess;
import dev.microsandbox.linux.LayerDevices;
import dev.microsandbox.linux.LayerFiles;
import dev.microsandbox.linux.LinuxException;
import dev.microsandbox.linux.ProcessWatch;
import dev.microsandbox.linux.SandboxMounts;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Sandboxes as containers on the host's kernel, made by an OCI runtime.
///
/// Nothing here is remembered for cleaning up: what belongs to a sandbox is found by its id, in its
/// control groups and the folders of [Places]; its mounts vanish with its processes.
public final class ContainerDriver implements IsolationDriver {
  private static final System.Logger LOG = System.getLogger(ContainerDriver.class.getName());

  private static final int ENOSPC = 28;
  private static final long NEARLY_NOTHING = 1 << 20;

  private final ContainerSettings settings;
  private final Places places;
  private final Cgroups cgroups;
  private final SandboxMounts mounts;
  private final ProcessWatch watch;
  private final LayerFiles layers;
  private final Takedown takedown;
  private final String hostBootId;
  private final Bundle bundle = new Bundle();
  private volatile @Nullable Runtime runtime;
  private boolean closed;
  private volatile Consumer<String> onStep = _ -> {};

  private ContainerDriver(
      ContainerSettings settings,
      Places places,
      Cgroups cgroups,
      SandboxMounts mounts,
      LayerDevices devices,
      ProcessWatch watch,
      String hostBootId) {
    this.settings = settings;
    this.places = places;
    this.cgroups = cgroups;
    this.mounts = mounts;
    this.watch = watch;
    this.hostBootId = hostBootId;
    this.layers = new LayerFiles(places.templates(), devices);
    this.takedown = new Takedown(places, cgroups, mounts, devices);
  }

  /// Takes what all sandboxes share: folders, control groups, a mount namespace, a watch on ends.
  ///
  /// @throws SandboxException `not_root`, `disk_full` or `store_failed` where folders cannot be
  ///   made, or `isolation_unavailable` where the host lacks something
  public static ContainerDriver open(ContainerSettings settings) {
    if (!"root".equals(System.getProperty("user.name"))) {
      throw new SandboxException(
          ErrorCode.NOT_ROOT, "containers need root; start the server as root or by sudo");
    }
    Places places = Places.of(settings);
    makeFolders(places);
    try {
      Cgroups cgroups = Cgroups.detect(settings.shortName());
      LayerDevices devices = new LayerDevices();
      SandboxMounts mounts = SandboxMounts.open(places.mounts(), settings.agent(), devices);
      String bootId = HostProcess.hostBootId();
      return new ContainerDriver(
          settings, places, cgroups, mounts, devices, ProcessWatch.open(), bootId);
    } catch (IOException e) {
      throw new SandboxException(
          ErrorCode.ISOLATION_UNAVAILABLE,
          "containers do not work on this host: " + e.getMessage() + "; msb doctor says more",
          Map.of(),
          e);
    }
  }

  private static void makeFolders(Places places) {
    try {
      places.create();
    } catch (IOException e) {
      throw HomeTrouble.of(e);
    }
  }

  @Override
  public IsolationKind kind() {
    return IsolationKind.CONTAINER;
  }

  @Override
  public synchronized ProbeReport probe() {
    HostProbe.Answer answer = new HostProbe(settings, new Trial()).run(cgroups);
    runtime = answer.runtime();
    return answer.report();
  }

  /// What the probe may do with this driver.
  private final class Trial implements HostProbe.Launch {
    @Override
    public Container start(LaunchSpec spec, Runtime with) {
      return launch(spec, with);
    }

    @Override
    public void remove(SandboxId id) {
      takedown.remove(id);
      takedown.removeDisk(id);
    }

    @Override
    public Path image() throws IOException, InterruptedException {
      return layers.emptyImage();
    }
  }

  @Override
  public Container launch(LaunchSpec spec) {
    return launch(spec, runtime());
  }

  private Container launch(LaunchSpec spec, Runtime with) {
    SandboxId id = spec.id();
    LaunchSteps steps = new LaunchSteps(onStep);
    ListeningTransport channel = null;
    try {
      Files.createDirectories(places.disk(id));
      layers.prepare(places.layer(id), spec.limits().disk());
      steps.done("disk");
      Cgroup cgroup = cgroups.create(id, spec.limits());
      steps.done("control groups");
      int owner = spec.ids().start();
      Path folder = places.createChannel(id, spec.ids());
      channel = ListeningTransport.bind(folder.resolve(Bundle.SOCKET), owner, owner);
      steps.done("channel");
      prepareRoot(spec, steps);
      cgroups.announceEntry();
      int pid = with.start(mounts, id);
      steps.done("runtime");
      cgroup.takeIn(pid);
      HostProcess first = HostProcess.open(pid, watch);
      mounts.detach(id);
      steps.done("mounts let go");
      LOG.log(System.Logger.Level.DEBUG, () -> id + " launched: " + steps);
      Path layer = places.layer(id);
      return new Container(
          new Container.Parts(id, channel, cgroup, first, layer, steps, hostBootId, 0), takedown);
    } catch (IOException | RuntimeException e) {
      throw undone(id, channel, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw undone(id, channel, e);
    }
  }

  private void prepareRoot(LaunchSpec spec, LaunchSteps steps) throws IOException {
    SandboxId id = spec.id();
    int owner = spec.ids().start();
    Path rootfs = mounts.attach(id, spec.rootfs(), places.layer(id), owner);
    Path tun = spec.egress() ? mounts.makeTunNode(id, owner) : null;
    steps.done("root filesystem");
    Bundle.Parts parts =
        new Bundle.Parts(
            rootfs,
            mounts.program(),
            pythonDriver(spec.rootfs()),
            places.channel(id),
            tun,
            cgroups.path(id));
    mounts.write(id, "config.json", bundle.configuration(spec, parts));
    steps.done("configuration");
  }

  /// What images/build has put beside a root filesystem that has Python; an image of another make
  /// may have none.
  private static @Nullable Path pythonDriver(Path rootfs) {
    Path file = rootfs.resolveSibling("python-driver");
    return Files.isRegularFile(file) ? file : null;
  }

  private SandboxException undone(
      SandboxId id, @Nullable ListeningTransport channel, Exception cause) {
    if (channel != null) {
      channel.close();
    }
    SandboxException failure =
        diskIsFull(cause)
            ? new SandboxException(
                ErrorCode.DISK_FULL,
                "the server's disk is full; delete sandboxes or free space",
                Map.of("where", "host"),
                cause)
            : new SandboxException(
                ErrorCode.SANDBOX_FAILED,
                "sandbox " + id + " could not be started",
                Map.of(),
                cause);
    try {
      takedown.remove(id);
    } catch (SandboxException e) {
      failure.addSuppressed(e);
    }
    return failure;
  }

  /// By the error, or by looking: tools of the host tell of it in words only.
  private boolean diskIsFull(Exception cause) {
    if (cause instanceof LinuxException failed && failed.errno() == ENOSPC) {
      return true;
    }
    try {
      return Files.getFileStore(places.disks()).getUsableSpace() < NEARLY_NOTHING;
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public Adoption adopt(AdoptSpec spec) {
    if (!spec.first().hostBootId().equals(hostBootId)) {
      return new Adoption.HostRestarted();
    }
    SandboxId id = spec.id();
    try {
      Optional<Cgroup> cgroup = cgroups.find(id);
      if (cgroup.isEmpty()) {
        return new Adoption.Ended(new SandboxEnd(false));
      }
      Optional<HostProcess> first = first(spec, cgroup.get());
      if (first.isEmpty()) {
        try (Cgroup remains = cgroup.get()) {
          return new Adoption.Ended(new SandboxEnd(remains.oomKills() > spec.oomKills()));
        }
      }
      int owner = spec.ids().start();
      Path socket = places.createChannel(id, spec.ids()).resolve(Bundle.SOCKET);
      ListeningTransport channel = ListeningTransport.bind(socket, owner, owner);
      return new Adoption.Alive(
          new Container(
              new Container.Parts(
                  id,
                  channel,
                  cgroup.get(),
                  first.get(),
                  places.layer(id),
                  new LaunchSteps(_ -> {}),
                  hostBootId,
                  spec.oomKills()),
              takedown));
    } catch (IOException e) {
      throw new SandboxException(
          ErrorCode.SANDBOX_FAILED, "sandbox " + id + " cannot be taken over", Map.of(), e);
    }
  }

  /// By number, start and control group: all three have to be those of the sandbox.
  private Optional<HostProcess> first(AdoptSpec spec, Cgroup cgroup) {
    int pid = spec.first().pid();
    return HostProcess.find(pid, spec.first().startTime(), watch)
        .filter(HostProcess::isAlive)
        .filter(_ -> cgroup.processes().contains(pid));
  }

  /// For tests that interrupt a launch after each of its steps.
  void onStep(Consumer<String> listener) {
    onStep = listener;
  }

  /// The one that the probe has found; several callers wait for one probe.
  private Runtime runtime() {
    if (runtime == null) {
      synchronized (this) {
        if (runtime == null) {
          probe();
        }
      }
    }
    Runtime known = runtime;
    if (known == null) {
      throw new SandboxException(
          ErrorCode.RUNTIME_MISSING, "no container runtime works on this host; see msb doctor");
    }
    return known;
  }

  @Override
  public void remove(SandboxId id) {
    takedown.remove(id);
  }

  @Override
  public void removeDisk(SandboxId id) {
    takedown.removeDisk(id);
  }

  @Override
  public Set<SandboxId> leftovers() {
    layers.removeUnfinished();
    return takedown.leftovers();
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    watch.close();
    mounts.close();
    cgroups.removeParent();
    places.removeEmpty();
  }
}
