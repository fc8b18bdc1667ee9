package dev.microsandbox.egress;

import java.net.InetAddress;

/// A range of addresses, such as `10.0.0.0/8` or `fc00::/7`.
record Network(InetAddress base, int bits) {

  Network {
    if (bits < 0 || bits > base.getAddress().length * 8) {
      throw new IllegalArgumentException("no such prefix length: " + bits);
    }
  }

  /// Reads an address and its prefix length; an address alone is a range of one.
  static Network parse(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      InetAddress one = InetAddress.ofLiteral(text);
      return new Network(one, one.getAddress().length * 8);
    }
    String address = text.substring(0, slash);
    return new Network(InetAddress.ofLiteral(address), Integer.parseInt(text.substring(slash + 1)));
  }

  boolean contains(InetAddress address) {
    return contains(address.getAddress());
  }

  boolean contains(byte[] address) {
    byte[] prefix = base.getAddress();
    if (address.length != prefix.length) {
      return false;
    }
    int whole = bits / 8;
    for (int i = 0; i < whole; i++) {
      if (address[i] != prefix[i]) {
        return false;
      }
    }
    int mask = 0xff00 >> (bits % 8) & 0xff;
    return mask == 0 || (address[whole] & mask) == (prefix[whole] & mask);
  }
}
