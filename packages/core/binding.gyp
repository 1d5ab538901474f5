# What node-gyp reads; the published package has native.gyp only, so that no package manager builds it unasked.
{ "includes": ["native.gyp"] }
