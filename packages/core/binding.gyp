{
  'targets': [
    {
      'target_name': 'core',
      'sources': [
        '<!@(ls native/src/*.c native/arch/x86_64/*.c native/arch/x86_64/*.S native/node/*.cc)',
      ],
      'include_dirs': ['native/include', 'native/src', 'native/arch/x86_64'],
      'cflags': ['-O2', '-g', '-Wall', '-Wextra', '-fvisibility=hidden', '-fno-plt'],
      'cflags_c': ['-std=gnu11'],
      'cflags_cc': ['-Wno-cast-function-type'],
    },
  ],
}
