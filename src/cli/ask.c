/* Asking a running server. */
#include <errno.h>
#include <string.h>
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

int cli_unreachable(struct cli *cli, const struct settings *s, int error)
{
	struct fault f;

	fault_set(&f, FAULT_SERVE_NOT_RUNNING);
	fault_fact(&f, "path", "%s", s->control.p);
	fault_fact(&f, "error", "%s", strerror(-error));
	cli_fault(cli, &f);
	return CLI_UNREACHABLE;
}

void cli_print_json(struct cli *cli, json_t *json)
{
	json_dumpf(json, cli->out, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15));
	fputc('\n', cli->out);
	json_decref(json);
}
