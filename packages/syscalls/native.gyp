{
  'targets': [
    {
      'target_name': 'syscalls',
      # Of the library (native/src), what needs no scheduler: that is core's here, behind its table of functions.
      'sources': ['<!@(ls native/node/*.c native/node/*/*.c native/node/*.cc native/src/table/*.c native/src/ring/*.c native/src/offload/*.c ../core/native/src/os/libc.c)'],
      'include_dirs': [
        'native/node',
        'native/src',
        '../core/native/include',
        '../core/native/src',
        '../core/native/arch/x86_64',
        '<!@(node -p "require(\'node-addon-api\').include_dir")',
      ],
      'defines': ['NODE_ADDON_API_DISABLE_DEPRECATED', 'NODE_ADDON_API_CPP_EXCEPTIONS_ALL', 'NAPI_VERSION=9'],
      'cflags': ['-O2', '-g', '-Wall', '-Wextra', '-fvisibility=hidden', '-fno-plt'],
      # Never unloaded, also when the Worker that loaded it ends: its helper threads and signal handlers stay.
      'ldflags': ['-Wl,-z,nodelete'],
      'cflags_c': ['-std=gnu11'],
      'cflags_cc!': ['-fno-exceptions'],
      'cflags_cc': ['-Wno-cast-function-type', '-fexceptions'],
    },
  ],
}
