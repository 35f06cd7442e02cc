/* The options of a verb, by its table. */
#include <string.h>
#include "base/fmt.h"
#include "cli/cli_priv.h"

#define NAME_MAX_       253
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

static const struct cli_option *find(const struct cli_option *options, struct span name)
{
	for (; options && options->name; options++)
		if (span_eq(span_of(options->name), name))
			return options;
	return NULL;
}

static int unknown(struct cli *cli, struct span name)
{
	const char *nearest = NULL;
	unsigned best = 4;

	for (const struct cli_option *o = cli->verb->options; o && o->name; o++) {
		unsigned d = fmt_distance(name, span_of(o->name));

		if (d < best) {
			best = d;
			nearest = o->name;
		}
	}
	if (nearest)
		return cli_usage(cli, "there is no option %.*s; did you mean %s?", SPAN_ARG(name), nearest);
	return cli_usage(cli, "there is no option %.*s", SPAN_ARG(name));
}

/* "--name", "--name=value", or "--name" "value": *at moves past what was taken. */
static int take_option(struct cli *cli, char **argv, int argc, int *at, struct cli_args *ret)
{
	struct span rest = span_of(argv[*at]), name;
	const struct cli_option *o;
	const char *value = "";

	span_cut(&rest, '=', &name);
	o = find(cli->verb->options, name);
	if (!o)
		return unknown(cli, name);
	if (!o->repeat && cli_arg(ret, o->name))
		return cli_usage(cli, "%s stands twice", o->name);
	if (o->value && rest.p)
		value = rest.p;
	else if (o->value && *at + 1 < argc)
		value = argv[++*at];
	else if (o->value || rest.p)
		return cli_usage(cli, o->value ? "%s needs a value" : "%s takes no value", o->name);
	ret->v[ret->n].option = o;
	ret->v[ret->n++].value = value;
	return CLI_DONE;
}

int cli_args_parse(struct cli *cli, int argc, char **argv, unsigned rest_max, struct cli_args *ret)
{
	*ret = (struct cli_args){ 0 };
	for (int i = 0; i < argc; i++) {
		int status = CLI_DONE;

		if (ret->n == ARGS_MAX)
			return cli_usage(cli, "too many options");
		if (argv[i][0] == '-' && argv[i][1] == '-' && argv[i][2])
			status = take_option(cli, argv, argc, &i, ret);
		else if (ret->rest_n < rest_max)
			ret->rest[ret->rest_n++] = argv[i];
		else
			status = cli_usage(cli, "%s is one word too many", argv[i]);
		if (status != CLI_DONE)
			return status;
	}
	return CLI_DONE;
}

const char *cli_arg(const struct cli_args *args, const char *option)
{
	const char *value = NULL;

	for (unsigned i = 0; i < args->n; i++)
		if (strcmp(args->v[i].option->name, option) == 0)
			value = args->v[i].value;
	return value;
}

bool cli_is_name(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && n <= NAME_MAX_ && strspn(text, NAME_CHARACTERS) == n && text[0] != '.' && text[0] != '-' &&
		!strstr(text, "..");
}
