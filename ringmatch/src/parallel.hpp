#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace ringmatch {

// threads as callers give it: 0 means every core.
inline int resolve_threads(int threads) {
    if (threads > 0) return threads;
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// Calls work(0) .. work(count - 1), each once, on up to `threads` threads. The first exception is thrown again here.
template <class Work>
void parallel_for(std::size_t count, int threads, Work&& work) {
    const std::size_t wanted = std::min(count, static_cast<std::size_t>(resolve_threads(threads)));
    if (wanted <= 1) {
        for (std::size_t k = 0; k < count; ++k) work(k);
        return;
    }
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex failure_guard;
    const auto run = [&] {
        try {
            for (std::size_t k = next.fetch_add(1); k < count; k = next.fetch_add(1)) work(k);
        } catch (...) {
            const std::lock_guard<std::mutex> lock(failure_guard);
            if (!failure) failure = std::current_exception();
            next.store(count);
        }
    };
    {
        std::vector<std::jthread> helpers;
        for (std::size_t k = 1; k < wanted; ++k) helpers.emplace_back(run);
        run();
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace ringmatch
