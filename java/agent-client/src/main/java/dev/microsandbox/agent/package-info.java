/// The host's end of the agent channel: frames, streams, flow control, typed calls.
@NullMarked
package dev.microsandbox.agent;

import org.jspecify.annotations.NullMarked;
