/*
 * The least that a server can cost: datagrams received and sent back in batches, marked as responses, nothing looked at.
 *
 *     cc -O2 -pthread -o echo echo.c && ./echo PORT WORKERS
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 128
#define OCTETS_MAX 1232

static int port;

static int open_socket(void)
{
	int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
	int one = 1;
	int octets = 4 << 20;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
	setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
	if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&at, sizeof at) < 0)
		exit(1);
	return descriptor;
}

static void *serve(void *unused)
{
	static __thread unsigned char octets[BATCH][OCTETS_MAX];
	static __thread struct sockaddr_in peers[BATCH];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
	int descriptor = open_socket();
	(void)unused;
	memset(messages, 0, sizeof messages);
	for (int i = 0; i < BATCH; i++) {
		parts[i].iov_base = octets[i];
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		messages[i].msg_hdr.msg_name = &peers[i];
	}
	for (;;) {
		for (int i = 0; i < BATCH; i++) {
			parts[i].iov_len = OCTETS_MAX;
			messages[i].msg_hdr.msg_namelen = sizeof peers[i];
		}
		int count = recvmmsg(descriptor, messages, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < count; i++) {
			parts[i].iov_len = messages[i].msg_len;
			octets[i][2] |= 0x80;
		}
		for (int sent = 0; sent < count;) {
			int more = sendmmsg(descriptor, messages + sent, count - sent, 0);
			sent += more > 0 ? more : 1;
		}
	}
	return NULL;
}

int main(int count, char **words)
{
	pthread_t thread;
	if (count != 3)
		return 2;
	port = atoi(words[1]);
	for (int i = 1; i < atoi(words[2]); i++)
		pthread_create(&thread, NULL, serve, NULL);
	serve(NULL);
	return 0;
}
