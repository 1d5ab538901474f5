{
  'targets': [
    {
      'target_name': 'core',
      'sources': [
        '<!@(ls native/src/lock/*.c native/src/msg/*.c native/src/rfork/*.c native/src/sched/*.c native/src/stack/*.c)',
        '<!@(ls native/src/thread/*.c native/src/watch/*.c native/src/hosted/*.c native/src/os/libc.c)',
        '<!@(ls native/arch/x86_64/*.c native/arch/x86_64/*.S native/node/*.cc native/node/*/*.cc)',
      ],
      'include_dirs': ['native/include', 'native/src', 'native/src/hosted', 'native/arch/x86_64'],
      'cflags': ['-O2', '-g', '-Wall', '-Wextra', '-fvisibility=hidden', '-fno-plt'],
      # Never unloaded, also when the Worker that loaded it ends: its helper threads and signal handlers stay.
      'ldflags': ['-Wl,-z,nodelete'],
      'cflags_c': ['-std=gnu11'],
      'cflags_cc': ['-Wno-cast-function-type'],
    },
  ],
}
