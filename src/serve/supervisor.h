/* Inside the supervisor: its state, split over a few files. */
#pragma once
#include "serve/handover_state.h"
#include "serve/serve_priv.h"

#define CHILDREN_MAX HANDOVER_CHILDREN_MAX

enum child_role {
	CHILD_NONE,
	CHILD_WORKER,    /* the one that serves */
	CHILD_SUCCESSOR, /* started by a reload: serves once it is ready */
	CHILD_DRAINING,
	CHILD_TRIAL, /* a new program's --version */
};
struct child {
	enum child_role role;
	pid_t pid;
	int channel; /* -1: none (a trial) */
	bool ready;
	uint64_t started_ms, alive_ms;
	uint64_t kill_ms; /* a deadline; 0: none */
	/* Messages since window_ms; beyond a number it is not listened to until that second is
	 * over. */
	uint64_t window_ms;
	unsigned window_n;
};
/* Who waits for the end of a reload. */
struct asker {
	pid_t worker; /* 0: nobody (a signal) */
	uint32_t tag;
};

/* The certificate folders as last read. */
struct watch {
	uint64_t stamp, hash;
	int blob;     /* memfd, or -1 */
	uint32_t tag; /* of blob */
	uint64_t next_ms, read_ms;
	struct tls_ticket_keys tickets;
	uint64_t rotate_ms;
};

struct supervisor {
	const char *config;
	char *program; /* the path of our executable, which may have been replaced meanwhile */
	struct settings *settings;
	struct settings *previous;           /* while a successor starts: what to go back to */
	struct listeners listeners, leaving; /* leaving: closed when the successor serves */
	struct sandbox_user user;
	int signals;
	int control;
	char *control_path;
	char *control_leaving; /* unlinked when the successor serves */
	int control_old;
	struct watch watch;
	int snapshot, names; /* memfds of CHANNEL_SNAPSHOT, or -1 */
	/* memfd: the certificate files that are in service, if these are not known to be those of
	 * watch.blob; or -1 */
	int served;
	struct child children[CHILDREN_MAX];
	struct asker asker;
	char *changed;         /* names of the keys that the reload under way changes */
	bool reload_pending;   /* asked for in the middle of another */
	unsigned restarts;     /* of the worker, all */
	unsigned quick_ends;   /* in a row */
	unsigned unready_ends; /* of workers that had not got ready, in a row */
	uint64_t restart_ms;   /* when to start the worker again; 0: it runs */
	struct fault last_end;
	bool has_last_end;
	int64_t last_end_at;
	bool looping;         /* a crash loop, now */
	struct report faults; /* of settings, listeners, logs: of the last reload */
	int64_t started_at, reloaded_at;
	bool stopping;
	uint64_t stop_ms;
	int exit_status;
};

/* ---- supervisor_children.c ---- */
struct child *child_find(struct supervisor *sv, enum child_role role);
struct child *child_by_pid(struct supervisor *sv, pid_t pid);
/* Forks a worker. NULL with errno. */
struct child *child_start(struct supervisor *sv, enum child_role role);
struct child *child_trial(struct supervisor *sv);
void child_drain(struct child *c);
/* Takes note of children that ended. */
void children_reap(struct supervisor *sv);
/* What c has to say, as far as it may now. */
void children_each_message(struct supervisor *sv, struct child *c);
/* When c may be heard again: 0: now. */
uint64_t child_deaf_until(const struct child *c, uint64_t now);
/* To all that serve or will: the worker and its successor. */
void children_tell(struct supervisor *sv, uint32_t type, uint32_t tag, struct span text, const int *fds,
	unsigned fds_n);
/* The supervisor's part of the status, to all. */
void children_tell_state(struct supervisor *sv);
void supervisor_state_json(struct supervisor *sv, struct buf *out);
void supervisor_answer(struct supervisor *sv, const struct asker *to, unsigned status, struct span json);

/* ---- supervisor_reload.c ---- */
/* Reads the settings anew and does what differs; the answer goes to sv->asker, now or later. */
void reload_begin(struct supervisor *sv, struct asker asker);
/* The successor is ready. */
void reload_end(struct supervisor *sv);
/* The successor ended before it was ready. */
void reload_failed(struct supervisor *sv, const char *how);
/* Logs a fault and answers with it: nothing was changed. */
void reload_refuse(struct supervisor *sv, const struct asker *to, const struct fault *fault);
int supervisor_open_log(struct supervisor *sv, const struct settings *s, struct fault *fault);

/* ---- supervisor_handover.c ---- */
void handover_begin(struct supervisor *sv, struct asker asker);
/* The trial of the new program ended: executes it, or answers why not. */
void handover_tried(struct supervisor *sv, bool fit, const char *how);
/* The state as a memfd for the new program, or -errno. */
int handover_state(struct supervisor *sv);
/* Executes program with that state; returns only if it failed, with errno. trial: it shall only
 * look. */
void handover_exec(const char *program, const char *config, int state, bool trial);
/* In the new program: the state that the old one left, if any, with its settings. 1, 0 (there is
 * none), or -errno. */
int handover_take(struct supervisor *sv);
/* The same, but nothing is taken. */
int handover_try(const char *config);
/* The path of our program for the next hand-over, mem_free() it; NULL: unknown. */
char *handover_program(void);

/* ---- supervisor_watch.c ---- */
void watch_begin(struct supervisor *sv);
/* Looks when it is time; *deadline is moved to the next time if that is earlier. */
void watch_turn(struct supervisor *sv, uint64_t *deadline);
/* Reads the folders now (the settings changed). */
void watch_read(struct supervisor *sv, bool always);

/* ---- the control socket ---- */
/* 0 and the descriptor, or -errno with fault (SERVE-ALREADY-RUNNING, SERVE-CONTROL-FAILED). */
int control_listen(const char *path, const struct sandbox_user *user, int *ret, struct fault *fault);
