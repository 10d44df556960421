#!/bin/bash
# The on-start script of the vast.ai template. Launch modes ssh and jupyter put their own program in the place of the
# image's entrypoint, and nothing but this would start the server. It runs at every start of the instance and must
# come back, so the server goes on behind it, with its words in the instance's log.
log=/proc/1/fd/1
[ -w "$log" ] || log=/var/log/talkie.log
setsid python3 /opt/talkie/start.py >>"$log" 2>&1 </dev/null &
