package dev.microsandbox.cli;

import java.util.concurrent.Callable;

/// A command that talks to a server.
abstract class SessionCommand implements Callable<Integer> {
  @SuppressWarnings("NullAway.Init") // set by the factory that makes every command
  Session session;
}
