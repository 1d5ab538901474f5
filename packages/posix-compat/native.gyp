{
  'targets': [
    {
      'target_name': 'semaphore',
      'sources': ['addon/semaphore.c', 'addon/execve.c'],
      'defines': ['NAPI_VERSION=9'],
      'cflags': ['-O2', '-g', '-Wall', '-Wextra', '-fvisibility=hidden'],
      'cflags_c': ['-std=gnu11'],
      # Never unloaded, also when the Worker that loaded it ends.
      'ldflags': ['-Wl,-z,nodelete'],
    },
  ],
}
