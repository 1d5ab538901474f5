{
  'targets': [
    {
      'target_name': 'syscalls',
      'sources': ['<!@(ls native/*.c native/*.cc)'],
      'include_dirs': [
        'native',
        '../core/native/include',
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
