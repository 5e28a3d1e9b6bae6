package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Handles;
import io.github.cohortcache.cohort.internal.Native;
import io.github.cohortcache.cohort.internal.NativeLibrary;
import io.github.cohortcache.cohort.internal.Queue;
import java.lang.ref.Reference;
import java.util.concurrent.Executor;

/** A network inside of the process: one handle for all instances that are given it. */
final class InProcessTransport extends Transport {
  private final long handle;

  InProcessTransport() {
    NativeLibrary.require();
    handle = Native.cohort_transport_new_inproc();
    Handles.freeTransport(this, handle);
  }

  @Override
  void install(long options, Queue queue, Executor executor) {
    Native.cohort_instance_options_set_transport(options, handle);
    Reference.reachabilityFence(this);
  }
}
