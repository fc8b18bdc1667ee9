//! Shares the channel's total of granted bytes among the connections.

/// The largest window of one connection, and the size of its buffer: what is granted always has room.
pub(crate) const LARGEST: u32 = 256 * 1024;
const FIRST: u32 = 16 * 1024;
const SMALLEST: u32 = 512;

/// The sum of all windows, kept within the channel's total.
#[derive(Debug)]
pub(crate) struct Budget {
    total: u32,
    free: u32,
}

impl Budget {
    pub(crate) fn new(total: u32) -> Self {
        Self { total, free: total }
    }

    /// The window of a new connection: small, since most need no more, and smaller the more there are. None when the
    /// total is used up: what was granted cannot be taken back, so the connection is better refused than left to wait.
    pub(crate) fn first(&mut self) -> Option<Window> {
        let size = (self.free / 512).clamp(SMALLEST, FIRST);
        if size > self.free {
            return None;
        }
        self.free -= size;
        Some(Window {
            size,
            outstanding: size,
        })
    }

    pub(crate) fn give_back(&mut self, window: &Window) {
        self.free += window.size;
    }

    #[cfg(test)]
    pub(crate) fn is_whole(&self) -> bool {
        self.free == self.total
    }

    /// Doubles the window of a connection that uses it up, and leaves a part of the total to new ones.
    fn grow(&mut self, size: u32) -> u32 {
        let reserve = if size < FIRST {
            self.total / 4
        } else {
            self.total / 2
        };
        let wanted = (size * 2).min(LARGEST);
        let more = (wanted - size).min(self.free.saturating_sub(reserve));
        self.free -= more;
        size + more
    }
}

/// What the host may send on one connection.
#[derive(Debug)]
pub(crate) struct Window {
    size: u32,
    outstanding: u32,
}

impl Window {
    pub(crate) fn size(&self) -> u32 {
        self.size
    }

    /// Takes note of received bytes; false where they go beyond what was granted.
    #[must_use]
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        match u32::try_from(bytes) {
            Ok(bytes) if bytes <= self.outstanding => {
                self.outstanding -= bytes;
                true
            }
            _ => false,
        }
    }

    /// The credit to give now that `queued` bytes are still on their way to the program; 0 where it is not yet worth a
    /// frame.
    pub(crate) fn renew(&mut self, queued: usize, budget: &mut Budget) -> u32 {
        let queued = u32::try_from(queued).unwrap_or(u32::MAX);
        if self.size < LARGEST && self.outstanding <= self.size / 2 && queued <= self.size / 2 {
            self.size = budget.grow(self.size);
        }
        let room = self
            .size
            .saturating_sub(self.outstanding.saturating_add(queued));
        if room == 0 || (room < self.size / 4 && self.outstanding > 0) {
            return 0;
        }
        self.outstanding += room;
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_never_exceed_the_total() {
        let mut budget = Budget::new(1024 * 1024);
        let mut windows: Vec<Window> = (0..4_000).map_while(|_| budget.first()).collect();
        for _ in 0..10 {
            for window in &mut windows {
                let all = window.outstanding as usize;
                assert!(window.take(all));
                window.renew(0, &mut budget);
            }
        }
        let sum: u64 = windows.iter().map(|window| u64::from(window.size)).sum();
        assert!(sum <= 1024 * 1024);
        assert_eq!(sum + u64::from(budget.free), 1024 * 1024);
    }

    #[test]
    fn a_busy_window_grows_to_the_largest_and_an_idle_one_does_not() {
        let mut budget = Budget::new(7 * 1024 * 1024);
        let mut window = budget.first().unwrap();
        assert!(window.size <= FIRST);
        assert_eq!(window.renew(0, &mut budget), 0);
        for _ in 0..6 {
            let all = window.outstanding as usize;
            assert!(window.take(all));
            assert!(window.renew(0, &mut budget) > 0);
        }
        assert_eq!(window.size, LARGEST);
    }

    #[test]
    fn more_than_was_granted_is_noticed() {
        let mut window = Budget::new(512).first().unwrap();
        assert!(window.take(512));
        assert!(!window.take(1));
    }

    #[test]
    fn the_default_total_serves_more_than_a_thousand_beside_busy_ones() {
        let mut budget = Budget::new(7 * 1024 * 1024);
        let mut busy: Vec<Window> = (0..50).map_while(|_| budget.first()).collect();
        for _ in 0..10 {
            for window in &mut busy {
                let all = window.outstanding as usize;
                assert!(window.take(all));
                window.renew(0, &mut budget);
            }
        }
        assert!((0..4_000).map_while(|_| budget.first()).count() > 1_000);
    }

    #[test]
    fn a_used_up_total_serves_again_what_is_given_back() {
        let mut budget = Budget::new(SMALLEST);
        let first = budget.first().unwrap();
        assert!(budget.first().is_none());
        budget.give_back(&first);
        assert!(budget.first().is_some());
    }
}
