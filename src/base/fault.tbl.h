/*
 * Every code that torhaus shows, with its sentences: FAULT(id, code, cause in English, in
 * German, remedy in English, in German). {name} is evidence (see base/fault.h). One file an
 * area, new rows at the end of their group; `torhaus explain`, the man page and
 * the tests are made from this table.
 */
/* clang-format off */

#include "base/fault_settings.tbl.h"
#include "base/fault_cert.tbl.h"
#include "base/fault_tls.tbl.h"
#include "base/fault_predict.tbl.h"
#include "base/fault_scan.tbl.h"
#include "base/fault_mail.tbl.h"
#include "base/fault_dns.tbl.h"
#include "base/fault_origin.tbl.h"
#include "base/fault_http.tbl.h"
#include "base/fault_serve.tbl.h"
/* clang-format on */
