/* A Modbus server on libmodbus: over TCP, or RTU at a pseudo-terminal that it opens itself. The first line of its output
 * is the port or the device to reach. Register n holds n, coil n is on where n divides by 3; from register
 * 200 on there are floats in four orders and an integer, as the C compiler has them. Ends when its input does.
 *
 *     libmodbus_server tcp | rtu UNIT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <modbus.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#define SIZE 400

/* libmodbus 3.1.6 has functions for the orders of a float that swap the bytes of each register: not used here. */
static void put(uint16_t *at, float value, int words_swapped, int bytes_swapped)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t pair[2] = {bits >> 16, bits};
    for (int n = 0; n < 2; n++) {
        uint16_t word = pair[words_swapped ? 1 - n : n];
        at[n] = bytes_swapped ? (uint16_t)(word << 8 | word >> 8) : word;
    }
}

static modbus_mapping_t *memory(void)
{
    modbus_mapping_t *map = modbus_mapping_new(SIZE, SIZE, SIZE, SIZE);
    for (int n = 0; n < SIZE; n++) {
        map->tab_registers[n] = n;
        map->tab_input_registers[n] = SIZE - n;
        map->tab_bits[n] = n % 3 == 0;
        map->tab_input_bits[n] = n % 5 == 0;
    }
    put(map->tab_registers + 200, 1.5f, 0, 0);
    put(map->tab_registers + 202, -2.25f, 1, 0);
    put(map->tab_registers + 204, 3.75f, 0, 1);
    put(map->tab_registers + 206, -0.125f, 1, 1);
    map->tab_registers[208] = (uint32_t)-70000 >> 16;
    map->tab_registers[209] = (uint32_t)-70000 & 0xFFFF;
    return map;
}

/* Wait for bytes of a master; 0 once nobody needs us any more. */
static int asked(int fd)
{
    struct pollfd both[2] = {{.fd = fd, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    while (poll(both, 2, -1) >= 0) {
        if (both[1].revents)
            return 0;
        if (both[0].revents & POLLIN)
            return 1;
        usleep(1000);
    }
    return 0;
}

/* What could change something is noted for the whole suite, as tests/support/writes.py has it. */
static void note(const uint8_t *pdu)
{
    const char *name = getenv("WRITES_SEEN_BY_TESTS");
    if ((pdu[0] >= 1 && pdu[0] <= 4) || (pdu[0] == 0x2B && pdu[1] == 0x0E) || !name)
        return;
    FILE *file = fopen(name, "a");
    if (file) {
        fprintf(file, "Modbus function %d at libmodbus\n", pdu[0]);
        fclose(file);
    }
}

static int port_of(int listening)
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    getsockname(listening, (struct sockaddr *)&at, &size);
    return ntohs(at.sin_port);
}

int main(int argc, char **argv)
{
    uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
    modbus_mapping_t *map = memory();
    modbus_t *line;
    int rtu = argc > 2 && strcmp(argv[1], "rtu") == 0;
    int listening = -1;

    if (rtu) {
        int master = posix_openpt(O_RDWR | O_NOCTTY);
        struct termios raw;
        grantpt(master);
        unlockpt(master);
        int held = open(ptsname(master), O_RDWR | O_NOCTTY); /* the line lives on while nobody has its other end */
        tcgetattr(held, &raw);
        cfmakeraw(&raw);
        tcsetattr(held, TCSANOW, &raw);
        line = modbus_new_rtu(ptsname(master), 9600, 'N', 8, 1);
        modbus_set_slave(line, atoi(argv[2]));
        modbus_set_socket(line, master);
        printf("%s\n", ptsname(master));
    } else {
        line = modbus_new_tcp("127.0.0.1", 0);
        listening = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        if (bind(listening, (struct sockaddr *)&at, sizeof at) || listen(listening, 4))
            return 1;
        printf("%d\n", port_of(listening));
    }
    fflush(stdout);
    for (;;) {
        if (!rtu) {
            if (!asked(listening))
                return 0;
            modbus_set_socket(line, accept(listening, NULL, NULL));
        }
        while (asked(modbus_get_socket(line))) {
            int length = modbus_receive(line, request);
            if (length > 0) {
                note(request + modbus_get_header_length(line));
                modbus_reply(line, request, length, map);
            } else if (length < 0 && !rtu)
                break;
        }
        if (rtu)
            return 0;
        struct pollfd end = {.fd = 0, .events = POLLIN};
        if (poll(&end, 1, 0) > 0)
            return 0;
        close(modbus_get_socket(line));
    }
}
