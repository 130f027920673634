// What nearly every source of the worker includes: parsed once instead of once per file.
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <flatbuffers/flatbuffers.h>
#include <uv.h>

#include <FBS/message.h>
#include <FBS/notification.h>
#include <FBS/request.h>
#include <FBS/response.h>
