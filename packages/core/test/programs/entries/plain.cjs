// For load-thrice.mjs: whether a module was loaded into another context shows in what it makes.
exports.list = [];
