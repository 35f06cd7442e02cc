/* Reason phrases (RFC 9110 15, and the registered ones of other RFCs that origins use). */
#include "http/http.h"

const char *http_reason(unsigned status)
{
	static const char *const reasons[][32] = {
		[1] = { "Continue", "Switching Protocols", "Processing", "Early Hints" },
		[2] = { "OK", "Created", "Accepted", "Non-Authoritative Information", "No Content", "Reset Content",
			"Partial Content", "Multi-Status", "Already Reported", [26] = "IM Used" },
		[3] = { "Multiple Choices", "Moved Permanently", "Found", "See Other", "Not Modified",
			"Use Proxy", [7] = "Temporary Redirect", "Permanent Redirect" },
		[4] = { "Bad Request", "Unauthorized", "Payment Required", "Forbidden", "Not Found",
			"Method Not Allowed", "Not Acceptable", "Proxy Authentication Required", "Request Timeout",
			"Conflict", "Gone", "Length Required", "Precondition Failed", "Content Too Large",
			"URI Too Long", "Unsupported Media Type", "Range Not Satisfiable",
			"Expectation Failed", [21] = "Misdirected Request", "Unprocessable Content", "Locked",
			"Failed Dependency", "Too Early", "Upgrade Required", [28] = "Precondition Required",
			"Too Many Requests", [31] = "Request Header Fields Too Large" },
		[5] = { "Internal Server Error", "Not Implemented", "Bad Gateway", "Service Unavailable",
			"Gateway Timeout", "HTTP Version Not Supported", "Variant Also Negotiates",
			"Insufficient Storage", "Loop Detected", [10] = "Not Extended",
			"Network Authentication Required" },
	};
	unsigned class = status / 100, rest = status % 100;

	if (status == 451)
		return "Unavailable For Legal Reasons";
	if (class < 1 || class > 5 || rest > 31 || !reasons[class][rest])
		return "";
	return reasons[class][rest];
}
