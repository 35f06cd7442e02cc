/* The door: how far a connection comes, and that each that came in is counted until it leaves. */
#include "../io/io_test.h"
#include "edge/edge.h"

/* A protocol that notes how its clients arrived and sends them home. */
struct stage {
	struct published_state state;
	struct edge_policy policy;
	struct edge_door door;
	atomic_uint open;
	struct net_addr address;
	int listener;
	unsigned arrived;
	enum edge_welcome welcome;
	struct net_addr peer;
	bool in_network, stay, makes_room;
	struct conn *guest; /* who stays */
};

static void present_policy(void *thread, struct edge_policy *ret)
{
	struct stage *s = thread;

	*ret = s->policy;
}

static void run_guest(void *thread, struct edge_arrival *a)
{
	struct stage *s = thread;

	s->welcome = a->welcome;
	s->in_network = a->in_network;
	s->peer = a->conn->peer;
	tls_facts_done(&a->facts);
	published_unref(a->state);
	if (s->stay) {
		s->guest = a->conn;
	} else {
		edge_leave(a->door, a->conn, a->in_network);
		conn_close(a->conn);
	}
	s->arrived++;
}

static bool make_room(void *thread)
{
	struct stage *s = thread;

	return s->makes_room;
}

static const struct edge_protocol protocol = { .name = "test",
	.task = "test-connection",
	.came = STAT_CONNECTIONS,
	.refused = STAT_ACCEPT_ERRORS,
	.full = "full\r\n",
	.policy = present_policy,
	.make_room = make_room,
	.run = run_guest };

static struct published_state *no_copy(const struct published_state *s)
{
	return NULL;
}

static void no_free(struct published_state *s)
{
	fail();
}

static void begin(struct stage *s)
{
	static const struct published_kind kind = { no_copy, no_free };

	*s = (struct stage){ .state = { .refs = 1, .kind = &kind },
		.policy = { .connections_max = 10, .greet_timeout_ms = 5000 } };
	s->policy.state = &s->state;
	s->listener = io_listen("127.0.0.1", &s->address);
	edge_door_init(&s->door, &protocol, s, &s->open, networks_new());
	edge_door_open(&s->door, s->listener, EDGE_PLAIN);
}

static void leave(struct stage *s)
{
	edge_leave(&s->door, s->guest, s->in_network);
	s->guest = conn_close(s->guest);
}

static void end(struct stage *s)
{
	edge_door_shut(&s->door, -1);
	while (!list_empty(&s->door.acceptors))
		task_yield();
	/* All of them left, and none holds the state. */
	assert_int_equal(atomic_load(&s->open), 0);
	assert_int_equal(s->state.refs, 1);
	networks_free(s->door.networks);
	close(s->listener);
}

/* Connects and says text; the client's end. */
static int come(struct stage *s, const char *text)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &s->address.sa, s->address.n), 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static enum edge_welcome arrive(struct stage *s, const char *text)
{
	unsigned before = s->arrived;
	int fd = come(s, text);

	while (s->arrived == before)
		task_sleep(1);
	close(fd);
	return s->welcome;
}

static void run_header(void *arg)
{
	struct net_prefix balancer, elsewhere;
	char text[NET_ADDR_SIZE];
	struct stage s;

	begin(&s);
	assert_int_equal(net_prefix_parse(SPAN("127.0.0.0/8"), &balancer), 0);
	assert_int_equal(net_prefix_parse(SPAN("192.0.2.0/24"), &elsewhere), 0);
	/* Of no balancer: what it sends is the protocol's. */
	s.policy.proxy_from = &elsewhere;
	s.policy.proxy_from_n = 1;
	assert_int_equal(arrive(&s, "PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n"), EDGE_WELCOME);
	net_addr_host_text(&s.peer, text);
	assert_string_equal(text, "127.0.0.1");
	s.policy.proxy_from = &balancer;
	assert_int_equal(arrive(&s, "PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n"), EDGE_WELCOME);
	net_addr_host_text(&s.peer, text);
	assert_string_equal(text, "192.0.2.7");
	assert_int_equal(arrive(&s, "GET / HTTP/1.1\r\n\r\n"), EDGE_NO_PROXY_HEADER);
	s.policy.greet_timeout_ms = 1;
	assert_int_equal(arrive(&s, "PROXY TCP4 192.0.2.7"), EDGE_NO_PROXY_HEADER);
	end(&s);
}

static void test_header_first(void **state)
{
	io_run(run_header, NULL);
}

static void run_guard(void *arg)
{
	struct net_prefix balancer;
	struct stage s;

	begin(&s);
	assert_int_equal(net_prefix_parse(SPAN("127.0.0.0/8"), &balancer), 0);
	s.policy.proxy_from = &balancer;
	s.policy.proxy_from_n = 1;
	s.policy.connections_per_network = 1;
	s.stay = true;
	assert_int_equal(arrive(&s, "PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n"), EDGE_WELCOME);
	s.stay = false;
	/* The client's network counts, not the balancer's. */
	assert_int_equal(arrive(&s, "PROXY TCP4 192.0.2.8 192.0.2.1 4711 80\r\n"), EDGE_CROWDED);
	assert_false(s.in_network);
	assert_int_equal(arrive(&s, "PROXY TCP4 198.51.100.8 192.0.2.1 4711 80\r\n"), EDGE_WELCOME);
	assert_true(s.in_network);
	leave(&s);
	assert_int_equal(arrive(&s, "PROXY TCP4 192.0.2.8 192.0.2.1 4711 80\r\n"), EDGE_WELCOME);
	/* 0: no limit, and nobody is counted. */
	s.policy.connections_per_network = 0;
	assert_int_equal(arrive(&s, "PROXY TCP4 192.0.2.8 192.0.2.1 4711 80\r\n"), EDGE_WELCOME);
	assert_false(s.in_network);
	end(&s);
}

static void test_guard_is_asked(void **state)
{
	io_run(run_guard, NULL);
}

static void run_full(void *arg)
{
	struct stage s;
	char text[16];
	ssize_t n = -1;
	int fd;

	begin(&s);
	s.policy.connections_max = 1;
	s.stay = true;
	assert_int_equal(arrive(&s, ""), EDGE_WELCOME);
	fd = come(&s, "");
	while (n < 0) {
		task_sleep(1);
		n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	}
	assert_int_equal(n, 6);
	assert_memory_equal(text, "full\r\n", 6);
	close(fd);
	assert_int_equal(s.arrived, 1);
	assert_int_equal(atomic_load(&s.open), 1);
	/* Where the protocol can make room, there is some. */
	s.stay = false;
	s.makes_room = true;
	assert_int_equal(arrive(&s, ""), EDGE_WELCOME);
	s.in_network = true;
	networks_enter(s.door.networks, &s.guest->peer, 1);
	leave(&s);
	end(&s);
}

static void test_full(void **state)
{
	io_run(run_full, NULL);
}

static void run_no_certificates(void *arg)
{
	struct stage s;

	begin(&s);
	edge_door_shut(&s.door, s.listener);
	while (!list_empty(&s.door.acceptors))
		task_yield();
	edge_door_open(&s.door, s.listener, EDGE_TLS);
	assert_int_equal(arrive(&s, ""), EDGE_NO_CERTIFICATES);
	end(&s);
}

static void test_no_certificates(void **state)
{
	io_run(run_no_certificates, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_first),
		cmocka_unit_test(test_guard_is_asked),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_no_certificates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
