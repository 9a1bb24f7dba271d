/* Reads lines "type number" and prints what C makes of them: the value, and its bytes as they lie in memory. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show(const char *value, const void *memory, size_t size)
{
    const unsigned char *bytes = memory;
    printf("%s ", value);
    for (size_t at = 0; at < size; at++)
        printf("%02x", bytes[at]);
    putchar('\n');
}

#define WHOLE(NAME, TYPE, PARSE, FORMAT)             \
    if (strcmp(type, NAME) == 0) {                   \
        TYPE found = (TYPE)PARSE(number, NULL, 10);  \
        snprintf(text, sizeof text, FORMAT, found);  \
        show(text, &found, sizeof found);            \
        continue;                                    \
    }

#define REAL(NAME, TYPE)                                     \
    if (strcmp(type, NAME) == 0) {                           \
        TYPE found = (TYPE)strtod(number, NULL);             \
        snprintf(text, sizeof text, "%.17g", (double)found); \
        show(text, &found, sizeof found);                    \
        continue;                                            \
    }

int main(void)
{
    char type[16], number[64], text[64];
    while (scanf("%15s %63s", type, number) == 2) {
        WHOLE("int8", int8_t, strtoll, "%" PRId8)
        WHOLE("uint8", uint8_t, strtoull, "%" PRIu8)
        WHOLE("int16", int16_t, strtoll, "%" PRId16)
        WHOLE("uint16", uint16_t, strtoull, "%" PRIu16)
        WHOLE("int32", int32_t, strtoll, "%" PRId32)
        WHOLE("uint32", uint32_t, strtoull, "%" PRIu32)
        WHOLE("int64", int64_t, strtoll, "%" PRId64)
        WHOLE("uint64", uint64_t, strtoull, "%" PRIu64)
        REAL("float16", _Float16)
        REAL("float32", float)
        REAL("float64", double)
        return 1;
    }
    return 0;
}
