// Threads that work on one token together. They meet several times in every layer, far too often for a call
// of a library each time: here they stay awake between meetings and only sleep when somebody is late.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace ladimo {

/// First and last (exclusive) of a run of things.
struct Range {
  std::int64_t begin = 0, end = 0;
};

class Team {
 public:
  /// One of the threads, for the length of a call of run().
  class Member {
   public:
    int rank() const { return rank_; }
    int size() const { return size_; }
    /// Returns once all members have called it. What they wrote before is seen by all.
    void meet() const;
    /// This member's part of `count` equal things: parts differ by at most one.
    Range part(std::int64_t count) const { return {count * rank_ / size_, count * (rank_ + 1) / size_}; }

   private:
    friend class Team;
    Member(Team& team, int rank, int size) : team_(team), rank_(rank), size_(size) {}
    Team& team_;
    int rank_, size_;
  };

  /// Calls `work` once in each of at most `threads` threads at the same time. They are those of OpenMP, so
  /// that libtorch's work and this never compete.
  void run(int threads, const std::function<void(const Member&)>& work);

 private:
  std::atomic<int> waiting_ = 0;
  std::atomic<std::uint32_t> meeting_ = 0;  // counts meetings
};

}  // namespace ladimo
