/* An NVML library that answers what a file says: the tests' stand-in for a driver and its cards.
 *
 * FAKE_NVML names the file. A line is "key value": "init 18" makes nvmlInit fail with 18; "driver 551.61"; "count 2";
 * "0.name RTX" is what card 0 answers, "0.1.name MIG" what its second MIG instance does. A value "!15" is the error 15,
 * "hang" never returns. What has no line is answered with 3, not supported. -DOLD leaves out what old drivers lack.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long long u64;
typedef struct { u64 total, free, used; } memory_v1;
typedef struct { unsigned version; u64 total, reserved, free, used; } memory_v2;
typedef struct { unsigned gpu, memory; } use_t;
typedef struct { unsigned pid; u64 used; unsigned gpu, compute; } process_t;
typedef struct { char old[16]; unsigned domain, bus, device, id, sub; char bus_id[32]; } pci_t;

static char script[65536];

static const char *look(const char *key) {
    static char value[512];
    size_t size = strlen(key);
    for (char *line = script; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, key, size) == 0 && line[size] == ' ') {
            snprintf(value, sizeof value, "%.*s", (int)strcspn(line + size + 1, "\n"), line + size + 1);
            return value;
        }
    }
    return NULL;
}

/* 0 and the value, or the error that the script asks for */
static int answer(const char *key, const char **value) {
    *value = look(key);
    if (!*value) return 3;
    if (strcmp(*value, "hang") == 0) for (;;) pause();
    return **value == '!' ? atoi(*value + 1) : 0;
}

/* handles: card + 1, and 100 * (card + 1) + instance + 1 for a MIG instance */
static int of(void *handle, const char *what, const char **value) {
    char key[128];
    long at = (long)handle;
    if (at < 100) snprintf(key, sizeof key, "%ld.%s", at - 1, what);
    else snprintf(key, sizeof key, "%ld.%ld.%s", at / 100 - 1, at % 100 - 1, what);
    return answer(key, value);
}

static int number(void *handle, const char *what, unsigned *out) {
    const char *value;
    int code = of(handle, what, &value);
    if (code == 0) *out = (unsigned)strtoul(value, NULL, 0);
    return code;
}

static int text(void *handle, const char *what, char *out, unsigned size) {
    const char *value;
    int code = of(handle, what, &value);
    if (code == 0) snprintf(out, size, "%s", value);
    return code;
}

int nvmlInitWithFlags(unsigned flags) {
    const char *value, *path = getenv("FAKE_NVML");
    FILE *file = path ? fopen(path, "r") : NULL;
    (void)flags;
    memset(script, 0, sizeof script);
    if (file) { (void)!fread(script, 1, sizeof script - 1, file); fclose(file); }
    int code = answer("init", &value);
    return code == 3 && !look("init") ? 0 : code;
}
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { return code == 77 ? "A reason of tomorrow" : "Some reason"; }
int nvmlSystemGetDriverVersion(char *out, unsigned size) {
    const char *value; int code = answer("driver", &value);
    if (code == 0) snprintf(out, size, "%s", value);
    return code;
}
int nvmlSystemGetCudaDriverVersion(int *out) {
    const char *value; int code = answer("cuda", &value);
    if (code == 0) *out = atoi(value);
    return code;
}
int nvmlDeviceGetCount_v2(unsigned *out) {
    const char *value; int code = answer("count", &value);
    if (code == 0) *out = atoi(value);
    return code;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **out) {
    const char *value; char key[64];
    snprintf(key, sizeof key, "%u.handle", index);
    int code = answer(key, &value);
    *out = (void *)(long)(index + 1);
    return value ? code : 0;
}
int nvmlDeviceGetName(void *h, char *out, unsigned size) { return text(h, "name", out, size); }
int nvmlDeviceGetUUID(void *h, char *out, unsigned size) { return text(h, "uuid", out, size); }
int nvmlDeviceGetPciInfo_v3(void *h, pci_t *out) { return text(h, "bus", out->bus_id, 32); }
int nvmlDeviceGetCudaComputeCapability(void *h, int *major, int *minor) {
    const char *value; int code = of(h, "capability", &value);
    if (code == 0) sscanf(value, "%d.%d", major, minor);
    return code;
}
int nvmlDeviceGetMemoryInfo(void *h, memory_v1 *out) {
    const char *value; u64 total = 0, unused = 0; int code = of(h, "memory", &value);
    if (code == 0) { sscanf(value, "%llu %llu", &total, &unused); out->total = total << 20; out->free = unused << 20; }
    return code;
}
int nvmlDeviceGetUtilizationRates(void *h, use_t *out) { return number(h, "utilisation", &out->gpu); }
int nvmlDeviceGetTemperature(void *h, int sensor, unsigned *out) { (void)sensor; return number(h, "temperature", out); }
int nvmlDeviceGetPowerUsage(void *h, unsigned *out) { return number(h, "power", out); }
int nvmlDeviceGetEnforcedPowerLimit(void *h, unsigned *out) { return number(h, "limit", out); }
int nvmlDeviceGetDisplayActive(void *h, unsigned *out) { return number(h, "display", out); }
int nvmlDeviceGetCurrPcieLinkWidth(void *h, unsigned *out) { return number(h, "width", out); }
int nvmlDeviceGetMaxPcieLinkWidth(void *h, unsigned *out) { return number(h, "max-width", out); }
int nvmlDeviceGetCurrPcieLinkGeneration(void *h, unsigned *out) { return number(h, "generation", out); }
int nvmlDeviceGetMaxPcieLinkGeneration(void *h, unsigned *out) { return number(h, "max-generation", out); }
int nvmlDeviceGetEccMode(void *h, unsigned *now, unsigned *next) { *next = 0; return number(h, "ecc", now); }
int nvmlDeviceGetTotalEccErrors(void *h, int kind, int counter, u64 *out) {
    unsigned found = 0; int code = number(h, kind == 1 && counter == 0 ? "uncorrected" : "other-errors", &found);
    *out = found;
    return code;
}

static int throttled(void *h, u64 *out) {
    unsigned bits = 0; int code = number(h, "reasons", &bits);
    *out = bits;
    return code;
}
static int running(void *h, const char *kind, unsigned *count, process_t *out) {
    const char *value; unsigned found = 0; int code = of(h, kind, &value);
    if (code) return code;
    for (const char *at = value; *at; found++) {
        unsigned pid = (unsigned)strtoul(at, (char **)&at, 10);
        u64 used = *at == ':' && at[1] != '-' ? strtoull(at + 1, (char **)&at, 10) << 20 : ~0ULL;
        at += strcspn(at, ",");
        at += *at == ',';
        if (out && found < *count) out[found] = (process_t){pid, used, ~0U, ~0U};
    }
    code = found && (!out || found > *count) ? 7 : 0;
    *count = found;
    return code;
}
int nvmlDeviceGetComputeRunningProcesses_v2(void *h, unsigned *n, process_t *p) { return running(h, "compute", n, p); }
int nvmlDeviceGetGraphicsRunningProcesses_v2(void *h, unsigned *n, process_t *p) { return running(h, "graphics", n, p); }
int nvmlDeviceGetCurrentClocksThrottleReasons(void *h, u64 *out) { return throttled(h, out); }

#ifndef OLD
int nvmlDeviceGetMemoryInfo_v2(void *h, memory_v2 *out) {
    memory_v1 first; int code = nvmlDeviceGetMemoryInfo(h, &first);
    if (out->version != 0x02000028) return 25;
    if (code == 0) { out->total = first.total; out->free = first.free; out->reserved = 300 << 20; }
    return code;
}
int nvmlDeviceGetComputeRunningProcesses_v3(void *h, unsigned *n, process_t *p) { return running(h, "compute", n, p); }
int nvmlDeviceGetGraphicsRunningProcesses_v3(void *h, unsigned *n, process_t *p) { return running(h, "graphics", n, p); }
int nvmlDeviceGetCurrentClocksEventReasons(void *h, u64 *out) { return throttled(h, out); }
int nvmlDeviceGetMigMode(void *h, unsigned *now, unsigned *next) { *next = 0; return number(h, "mig", now); }
int nvmlDeviceGetMaxMigDeviceCount(void *h, unsigned *out) { (void)h; *out = 7; return 0; }
int nvmlDeviceGetMigDeviceHandleByIndex(void *h, unsigned index, void **out) {
    const char *value; *out = (void *)((long)h * 100 + index + 1);
    return of(*out, "name", &value) ? 6 : 0;
}
int nvmlDeviceGetRemappedRows(void *h, unsigned *corr, unsigned *unc, unsigned *pending, unsigned *failed) {
    *corr = *unc = *failed = 0;
    return number(h, "remap-pending", pending);
}
#endif
