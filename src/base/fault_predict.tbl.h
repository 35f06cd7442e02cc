/*
 * What questions about certificates, clients and logs are answered with when something is wrong: part of base/fault.tbl.h (which
 * see), for survey/predict.h, survey/logs.h and survey/served.h.
 */
/* clang-format off */
FAULT(FILE_UNREADABLE, "FILE-UNREADABLE",
	"The file {file} cannot be read: {error}.",
	"Die Datei {file} kann nicht gelesen werden: {error}.",
	"Check its name and its rights.",
	"Name und Rechte prüfen.")
FAULT(TLS_HELLO_NOT_FOUND, "TLS-HELLO-NOT-FOUND",
	"No ClientHello was found in {file}: {why}.",
	"In {file} wurde kein ClientHello gefunden: {why}.",
	"Capture the start of the connection, for example with `tcpdump -s0 -w hello.pcap host ADDRESS and port 25`.",
	"Den Anfang der Verbindung aufzeichnen, etwa mit `tcpdump -s0 -w hello.pcap host ADRESSE and port 25`.")
FAULT(TLS_SUITES_UNKNOWN, "TLS-SUITES-UNKNOWN",
	"None of the names is one of a suite: {names}.",
	"Keiner der Namen ist der einer Suite: {names}.",
	"Write names as OpenSSL (ECDHE-RSA-AES128-GCM-SHA256) or IANA (TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256) has them, or numbers (0xc02f).",
	"Namen so schreiben wie OpenSSL (ECDHE-RSA-AES128-GCM-SHA256) oder IANA (TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256), oder Nummern (0xc02f).")
/* clang-format on */
