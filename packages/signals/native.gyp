{
  'targets': [
    {
      'target_name': 'signals',
      'sources': ['addon/addon.c', 'addon/children.c', 'addon/managed.c', 'addon/threads.c', 'addon/timer.c'],
      'include_dirs': ['../core/native/include'],
      'defines': ['NAPI_VERSION=9'],
      'cflags': ['-O2', '-g', '-Wall', '-Wextra', '-fvisibility=hidden', '-fno-strict-aliasing'],
      'cflags_c': ['-std=gnu11'],
      # Never unloaded, also when the Worker that loaded it ends: its handlers are the process'.
      'ldflags': ['-Wl,-z,nodelete'],
    },
  ],
}
