/*
 * Findings: what is wrong, each thing once, for whoever asks (`torhaus check`, `doctor`, a page).
 *
 * They are gathered as JSON documents of faults, because a running server tells its own so.
 * findings_look.c has what is looked at, one function a thing; what those need - settings, domains,
 * the status document of a running server - comes as an argument, so that nothing here asks a
 * socket or a terminal. Nothing changes anything, and one finding never hides another.
 */
#pragma once
#include <jansson.h>
#include "base/fault.h"
#include "base/map.h"

struct settings;
struct snapshot;
struct tls_set;

struct findings {
	json_t *faults;   /* array of faults as fault_json() writes them */
	struct map known; /* code and evidence of each */
	struct arena arena;
	bool settings_faulty;
};
/* None so far. findings_done() it. */
void findings_init(struct findings *f);
void findings_done(struct findings *f);
/* A copy of the fault, unless it is there already (same code and evidence). */
void findings_add(struct findings *f, const struct fault *fault);
/* The same of a fault that came as JSON; it is referenced. */
void findings_add_json(struct findings *f, json_t *fault);
/* The settings in the file, settings_unref() them; or NULL, their faults added. */
struct settings *findings_settings(struct findings *f, const char *path);

/* ---- findings_look.c: each adds what is wrong with one thing ---- */

/* The domains of the store at that URL, snapshot_unref() them; or NULL, the reason added.
 * Blocks. */
struct snapshot *findings_read_store(struct findings *f, const char *store);
/* What the domains ask for and torhaus, with these settings, could not keep. */
void findings_domains(struct findings *f, const struct settings *s, const struct snapshot *domains);
/* The certificate folders, read anew, and the names of domains (NULL: not known) and of the mail
 * edge that none of the certificates has. Blocks. */
void findings_certificates(struct findings *f, const struct settings *s, const struct snapshot *domains);
/* Names without a certificate among those that are served, as a running server tells them: an array
 * of {"names": [...], "self_signed": ...}. */
void findings_served_names(struct findings *f, const struct settings *s, const struct snapshot *domains, json_t *pairs);
/* Addresses that cannot be listened on; those that status (of a running server; NULL: none) lists
 * are its own. Blocks. */
void findings_listeners(struct findings *f, const struct settings *s, json_t *status);
/* Mail domains whose mail server is an address that these settings listen on. Blocks. */
void findings_loops(struct findings *f, const struct settings *s, const struct snapshot *domains);
/* Origins and mail servers that cannot be reached from here, each tried once. Blocks. */
void findings_origins(struct findings *f, const struct snapshot *domains);
/* What a running server says is wrong in its status document, its origins included. */
void findings_server(struct findings *f, json_t *status);
