/* arguments.c - prints what a program finds at its start, but for addresses and other things that differ from run to run. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void print_file(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY);
	long n = read(fd, text, sizeof text);

	for (long i = 0; i < n; i++)
		putchar(text[i] ? text[i] : '|');
	close(fd);
}

int main(int argc, char **argv)
{
	char exe[4096] = "";
	struct stat own, file;
	int n = 0;

	printf("argc %d\n", argc);
	for (int i = 0; i <= argc; i++)
		printf("argv[%d] %s\n", i, argv[i] ? argv[i] : "NULL");
	while (environ[n])
		n++;
	printf("environment %d, PATH %d\n", n, getenv("PATH") != NULL);
	readlink("/proc/self/exe", exe, sizeof exe - 1);
	stat("/proc/self/exe", &own);
	stat(exe, &file);
	printf("exe %s\nexe is a file %d\n", exe, own.st_ino == file.st_ino);
	printf("comm ");
	print_file("/proc/self/comm");
	printf("cmdline ");
	print_file("/proc/self/cmdline");
	printf("\nAT_EXECFN %s\n", (const char *)getauxval(AT_EXECFN));
	printf("AT_PHNUM %lu AT_PHENT %lu AT_PAGESZ %lu AT_SECURE %lu\n", getauxval(AT_PHNUM), getauxval(AT_PHENT), getauxval(AT_PAGESZ), getauxval(AT_SECURE));
	printf("AT_BASE %d AT_SYSINFO_EHDR %d AT_RANDOM %d\n", getauxval(AT_BASE) != 0, getauxval(AT_SYSINFO_EHDR) != 0, getauxval(AT_RANDOM) != 0);
	printf("stack aligned %d\n", (int)((unsigned long)argv % 16));
	return 7;
}
