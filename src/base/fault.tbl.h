/*
 * Every code that torhaus shows, with its sentences: FAULT(id, code, cause in English, in
 * German, remedy in English, in German). {name} is evidence (see base/fault.h). Kept in
 * groups by area, new rows at the end of their group; `torhaus explain`, the man page and
 * the tests are made from this table.
 */
/* clang-format off */

/* ---- settings and store ---- */
FAULT(SETTINGS_UNKNOWN_KEY, "SETTINGS-UNKNOWN-KEY",
	"{file}:{line}: there is no setting \"{key}\".",
	"{file}:{line}: Es gibt keine Einstellung \"{key}\".",
	"Did you mean \"{nearest}\"? `man torhaus` lists all settings.",
	"Ist \"{nearest}\" gemeint? `man torhaus` nennt alle Einstellungen.")
FAULT(SETTINGS_BAD_VALUE, "SETTINGS-BAD-VALUE",
	"{file}:{line}: \"{value}\" does not fit {key}: {why}.",
	"{file}:{line}: \"{value}\" passt nicht zu {key}: {why}.",
	"Write {wanted}.",
	"Erwartet wird: {wanted}.")
FAULT(SETTINGS_SYNTAX, "SETTINGS-SYNTAX",
	"{file}:{line}: this is not the grammar of a settings file: {why}.",
	"{file}:{line}: Das ist nicht die Grammatik einer Einstellungsdatei: {why}.",
	"Correct the line; `torhaus check` shows all findings at once.",
	"Zeile berichtigen; `torhaus check` zeigt alle Befunde auf einmal.")

/* ---- sockets ---- */
FAULT(LISTEN_FAILED, "LISTEN-FAILED",
	"The address {address} cannot be listened on: {error}.",
	"Auf der Adresse {address} kann nicht gelauscht werden: {error}.",
	"Find who holds it (ss -ltnp), or give torhaus the right to ports below 1024 (CAP_NET_BIND_SERVICE), or choose another address.",
	"Nachsehen, wer sie hat (ss -ltnp), oder torhaus das Recht auf Ports unter 1024 geben (CAP_NET_BIND_SERVICE), oder eine andere Adresse wählen.")
/* clang-format on */
