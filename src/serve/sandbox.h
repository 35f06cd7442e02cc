/*
 * The fence around the worker: another user, Landlock, seccomp.
 *
 * The worker reads what strangers send, so it gets what it needs and nothing else: it cannot run
 * programs, trace others, open sockets to listen on, or touch files outside of a short list. The
 * order is: rights first (sandbox_become()), then the fence, then threads, which inherit both.
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include "base/fault.h"
#include "base/span.h"

struct sandbox_user {
	uid_t uid;
	gid_t gid;
	bool change; /* false: stay who we are */
};
/* Whom name means: nobody else if we are not root or name is empty. 0, or -ENOENT with fault
 * (SERVE-NO-USER). */
int sandbox_user_find(struct span name, struct sandbox_user *ret, struct fault *fault);
/* For good, and without capabilities unless it stays root. PR_SET_NO_NEW_PRIVS in any case. 0 or
 * -errno. */
int sandbox_become(const struct sandbox_user *user);

/* Folders that stay writable besides those that everybody needs for reading. */
struct sandbox_paths {
	const char *writable[4];
	unsigned writable_n;
};
/* Landlock as far as this kernel has it: its ABI (1 and up), 0 without Landlock, or -errno. */
int sandbox_landlock(const struct sandbox_paths *paths);
/* The list of system calls: others fail with EPERM, those that only an intruder makes end the
 * process. 0 or -errno. */
int sandbox_seccomp(void);
