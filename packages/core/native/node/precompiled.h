/*
 * precompiled.h - what nearly every file of this folder includes, compiled once for each Node (tools/build-native.mjs): reading V8's headers takes a compiler three
 * times as long as the file itself. Every file includes what it needs all the same, and builds without this one.
 */
#include <node.h>
#include <uv.h>
#include <v8.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <vector>
