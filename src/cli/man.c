/* torhaus man: the manual page, from the tables of verbs, settings, domain keys and codes. Called
 * by the build. */
#include <string.h>
#include "cli/cli_priv.h"

/* Text for roff: backslashes and leading dots are its own. */
static void roff(struct buf *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		buf_add_text(out, "\\&");
	for (; *text; text++)
		if (*text == '\\')
			buf_add_text(out, "\\e");
		else if (*text == '-')
			buf_add_text(out, "\\-");
		else
			buf_add_char(out, *text);
}

static void options(struct buf *out, const struct cli_option *o)
{
	for (; o && o->name; o++) {
		buf_add_text(out, ".TP\n.B ");
		roff(out, o->name);
		if (o->value) {
			buf_add_text(out, " \\fI");
			roff(out, o->value);
			buf_add_text(out, "\\fR");
		}
		buf_add_char(out, '\n');
		roff(out, o->help_en);
		buf_add_text(out, o->repeat ? " May be repeated.\n" : "\n");
	}
}

static void verbs(struct buf *out)
{
	buf_add_text(out, ".SH VERBS\n");
	for (const struct cli_verb *v = cli_verbs(); v->name; v++) {
		if (!v->help_en)
			continue;
		buf_addf(out, ".SS torhaus %s ", v->name);
		roff(out, v->args);
		buf_add_char(out, '\n');
		roff(out, v->help_en);
		buf_add_char(out, '\n');
		options(out, v->options);
	}
}

static void codes(struct buf *out)
{
	buf_add_text(out,
		".SH CODES\nWhat log lines, pages and verbs show; \\fBtorhaus explain\\fR \\fICODE\\fR prints the same, "
		"in German with \\fB\\-\\-lang de\\fR.\n");
	for (enum fault_code c = FAULT_NONE + 1; c < FAULT_COUNT; c++) {
		struct buf text = BUF_INIT(8192);
		struct fault f;

		fault_set(&f, c);
		fault_cause(&f, FAULT_EN, &text);
		buf_add_text(out, ".TP\n.B ");
		roff(out, fault_code_text(c));
		buf_add_char(out, '\n');
		roff(out, buf_text(&text));
		buf_reset(&text);
		fault_remedy(&f, FAULT_EN, &text);
		buf_add_text(out, "\n.br\n");
		roff(out, buf_text(&text));
		buf_add_char(out, '\n');
		buf_done(&text);
	}
}

int cli_man(struct cli *cli, int argc, char **argv)
{
	struct buf out = BUF_INIT((size_t)4 << 20);
	struct cli_args args;

	if (cli_args_parse(cli, argc, argv, 0, &args) != CLI_DONE)
		return CLI_USAGE;
	buf_add_text(&out,
		".TH TORHAUS 1 \"\" \"torhaus " TORHAUS_VERSION "\"\n"
		".SH NAME\ntorhaus \\- a self\\-hosted edge: a caching reverse proxy that explains itself\n"
		".SH SYNOPSIS\n.B torhaus\n.I verb\n[options]\n"
		".SH DESCRIPTION\n"
		"torhaus stands in front of customers' web servers: it ends TLS, caches by RFC 9111, keeps pages alive "
		"while an origin is down, and says for everything that goes wrong why, and what to do.\n"
		".SH GLOBAL OPTIONS\nThey may stand before or after the verb.\n");
	options(&out, cli_global_options);
	verbs(&out);
	buf_add_text(&out,
		".SH EXIT STATUS\n"
		".TP\n.B 0\nDone, nothing found wrong.\n.TP\n.B 1\nA negative finding.\n.TP\n.B 2\nWrong usage.\n"
		".TP\n.B 3\nSettings invalid.\n.TP\n.B 4\nThe server cannot be reached.\n.TP\n.B 5\nDone in part.\n"
		".SH SETTINGS\nThe keys of torhaus.conf, which holds what concerns the process.\n");
	conf_man(&out, settings_keys);
	buf_add_text(&out,
		".SH DOMAINS\nThe keys of a domain in the text form (\\fBtorhaus domain export\\fR, \\fBapply\\fR).\n");
	conf_man(&out, domain_keys);
	codes(&out);
	buf_add_text(&out,
		".SH SIGNALS\nThe supervisor (the process that was started) takes \\fBSIGTERM\\fR and \\fBSIGINT\\fR: end "
		"once open requests are answered, at most after 30 seconds; \\fBSIGHUP\\fR: as \\fBtorhaus reload\\fR; "
		"\\fBSIGUSR1\\fR: open log files again.\n"
		".SH FILES\n/etc/torhaus/torhaus.conf, /etc/torhaus/certs, /etc/torhaus/scan-except, /var/lib/torhaus/torhaus.db, "
		"/run/torhaus/control.sock\n");
	fwrite(out.p, 1, out.n, cli->out);
	buf_done(&out);
	return CLI_DONE;
}
