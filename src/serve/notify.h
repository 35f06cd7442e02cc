/* Telling the service manager how it goes (systemd's sd_notify(3) protocol: datagrams to
 * $NOTIFY_SOCKET). */
#pragma once
#include <stdint.h>

/* state: lines such as "READY=1\nSTATUS=serving". Nothing without $NOTIFY_SOCKET. 0 or -errno. */
int notify_send(const char *state);
/* RELOADING=1 with the monotonic time that systemd wants beside it. */
int notify_reloading(void);
/* How often the manager wants to hear WATCHDOG=1 (half of what it allows), ms; 0: not at all. */
uint64_t notify_watchdog_ms(void);
