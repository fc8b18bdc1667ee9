#!/bin/sh
# No service is started when a package is installed: a sandbox has no init system.
exit 101
