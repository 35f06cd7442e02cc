/* torhaus: everything is in the table of verbs, cli/verbs.c. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
