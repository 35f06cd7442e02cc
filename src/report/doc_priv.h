/* The blocks of a document. */
#pragma once
#include "report/doc.h"

struct doc_row {
	struct doc_row *next;
	struct span cells[DOC_COLUMNS_MAX];
	unsigned n;
};
enum doc_kind { DOC_HEADING, DOC_PARAGRAPH, DOC_TABLE };
struct doc_block {
	struct doc_block *next;
	enum doc_kind kind;
	struct span text; /* of headings and paragraphs */
	char columns[DOC_COLUMNS_MAX];
	struct span heads[DOC_COLUMNS_MAX];
	unsigned columns_n;
	bool has_heads;
	struct doc_row *rows, **last_row, *row;
};
/* The number in a cell of a b column. */
unsigned doc_per_mille(struct span cell);
