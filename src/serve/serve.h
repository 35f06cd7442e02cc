/*
 * The server: a small supervisor and an unprivileged worker.
 *
 * supervisor   holds the listening sockets (per thread, SO_REUSEPORT), reads settings and the files
 *              of the certificate folders, makes ticket keys; forks the worker; restarts it within
 *              200 ms when it dies (back-off on a crash loop); hands itself over to a new binary by
 *              execve() in place (same pid), the old worker draining beside the new one. It parses
 *              nothing that comes from the network.
 * worker       drops privileges, fences itself in (Landlock, seccomp), runs one loop per thread;
 *              reads the store on a helper thread, publishes snapshots and certificate sets; speaks
 *              HTTP with JSON on the control socket.
 *
 * Between them: a SOCK_SEQPACKET pair with typed messages and descriptors (serve/channel.h). Large
 * things travel as sealed memfds: settings text, certificate files, ticket keys, and - from worker
 * to supervisor - the last good snapshot, which the next worker starts with if the store cannot be
 * read then.
 */
#pragma once
#include "settings/settings.h"

/* Runs in the foreground until stopped. The exit status of the process. */
int serve_run(const char *config_path);

/* Could serve_run() begin? Reads the settings and, in a hand-over, the state of the program before;
 * starts nothing. The exit status: 0, or 3 when they are not understood. */
int serve_try(const char *config_path);

/* A request to a running server's control socket: method and path as in the API ("POST",
 * "/reload"), body may be empty. 0, *ret_status and the JSON body in ret (cap is the buf's);
 * -ECONNREFUSED, -ENOENT when none is running; -ETIMEDOUT. Blocking, up to 60 s (a reload waits for
 * its new worker), a GET 10 s: for the command line. */
int control_request(const char *socket_path, const char *method, const char *path, struct span body,
	unsigned *ret_status, struct buf *ret);
