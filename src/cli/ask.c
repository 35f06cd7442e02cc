/* Asking a running server. */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "cli/cli_priv.h"

#define ANSWER_MAX ((size_t)64 << 20)

json_t *cli_ask(const struct settings *s, const char *method, const char *path, json_t *body, unsigned *ret_status,
	int *ret_error)
{
	struct buf answer = BUF_INIT(ANSWER_MAX);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_t *json = NULL;

	*ret_error = control_request(s->control.p, method, path, span_of(text), ret_status, &answer);
	mem_free(text);
	if (*ret_error == 0) {
		json = json_loadb(answer.p ? answer.p : "", answer.n, 0, NULL);
		*ret_error = json ? 0 : -EPROTO;
	}
	buf_done(&answer);
	return json;
}

static void name_user(uid_t uid, char *ret, size_t size)
{
	struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(ret, size, "%s", user->pw_name);
	else
		snprintf(ret, size, "uid %u", uid);
}

/* Whose the socket is, or the nearest folder above it that can be looked at. */
static uid_t owner_of(const char *path)
{
	_cleanup_(mem_freep) char *at = mem_text(path);
	struct stat st;

	while (stat(at, &st) < 0) {
		char *slash = strrchr(at, '/');

		if (!slash || slash == at)
			return 0;
		*slash = '\0';
	}
	return st.st_uid;
}

void cli_no_server(const struct settings *s, int error, struct fault *ret)
{
	bool denied = error == -EACCES || error == -EPERM;
	char user[64], owner[64];

	fault_set(ret, denied ? FAULT_SERVE_NO_ACCESS : FAULT_SERVE_NOT_RUNNING);
	fault_fact(ret, "path", "%s", s->control.p);
	fault_fact(ret, "error", "%s", strerror(-error));
	if (!denied)
		return;
	name_user(geteuid(), user, sizeof(user));
	name_user(owner_of(s->control.p), owner, sizeof(owner));
	fault_fact(ret, "user", "%s", user);
	fault_fact(ret, "owner", "%s", owner);
}

int cli_unreachable(struct cli *cli, const struct settings *s, int error)
{
	struct fault f;

	cli_no_server(s, error, &f);
	cli_fault(cli, &f);
	return CLI_UNREACHABLE;
}

void cli_print_json(struct cli *cli, json_t *json)
{
	json_dumpf(json, cli->out, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15));
	fputc('\n', cli->out);
	json_decref(json);
}
